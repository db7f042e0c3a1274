// The data of the page, which vae.explorer.contents writes.
"use strict";

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };

// Return the description, with the arrays in it: images and labels by number, points as {x, size, low, high}.
async function loadData() {
  const about = JSON.parse(document.getElementById("description").textContent);
  const packed = Uint8Array.from(atob(document.getElementById("arrays").textContent), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  const array = name => {
    const entry = about.arrays[name];
    if (!entry) return null;
    return new TYPES[entry.type](bytes, entry.start, entry.length);
  };
  // Points (count, dimensions) as float32, from 16-bit steps over the range of each dimension.
  const points = name => {
    const entry = about.arrays[name];
    if (!entry) return null;
    const { low, step } = entry;
    const [count, dimensions] = entry.shape;
    const values = Float32Array.from(array(name), (steps, i) => low[i % dimensions] + steps * step[i % dimensions]);
    const high = low.map((value, k) => value + 65535 * step[k]);
    return { values, count, dimensions, low, high, at: i => values.slice(i * dimensions, (i + 1) * dimensions) };
  };
  const images = array("images");
  const size = about.shape.reduce((a, b) => a * b);
  const labels = array("labels");
  const { start, length } = about.arrays.constants;
  return {
    about,
    engine: new Engine(about.engine, bytes.slice(start, start + length), about.precision),
    size,
    count: images.length / size,
    image: i => Float32Array.from(images.subarray(i * size, (i + 1) * size), level => level / 255),
    labels,
    zMean: points("z_mean"),
    maps: about.maps.map((title, i) => ({ title, ...points(`map${i}`) })),
    draws: { prior: points("prior"), mixture: points("mixture") },
    noise: array("noise"),
  };
}
