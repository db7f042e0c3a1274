// What the panels of the page share: the data, the model, the state, and small helpers.
"use strict";

const LETTERS = ["A", "B", "C"];

function createApp(data) {
  const { about } = data;
  const { shape, dimensions } = about;
  const model = new Model(data);
  // taken: what is taken up, {i, pixels, label, name, posterior}; z: the latent vector of the sliders.
  const state = { taken: {}, z: null, label: 0, map: "0", x: dimensions[0], y: dimensions[1] ?? dimensions[0] };

  const nameOf = i => `test image ${i}${data.labels ? `, class ${about.classes[data.labels[i]]}` : ""}`;
  const labelOf = i => data.labels?.[i] ?? 0;
  const paintOn = (id, pixels) => paint(typeof id === "string" ? $(id) : id, pixels, shape);
  const decode = z => model.decode(z, state.label);
  const dimensionName = k => `z${String(k).replace(/\d/g, digit => "₀₁₂₃₄₅₆₇₈₉"[digit])}`;

  // Run the last of several tasks of one name in the next frame.
  const waiting = new Map();
  const soon = (name, task) => {
    if (!waiting.has(name)) requestAnimationFrame(() => {
      const last = waiting.get(name);
      waiting.delete(name);
      last();
    });
    waiting.set(name, task);
  };

  function choices(select, options, chosen, change) {
    select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
    select.value = chosen;
    select.addEventListener("change", () => change(select.value));
  }

  const centred = about.ink && shape[0] === shape[1]; // whether drawings are scaled and centred as MNIST's digits
  const isPlane = () => state.map === "z";
  return { data, about, shape, model, state, nameOf, labelOf, paintOn, decode, dimensionName, soon, choices, centred, isPlane };
}
