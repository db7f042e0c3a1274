// The page: its state, what each control does, and the state in the address.
"use strict";

const LETTERS = ["A", "B", "C"];
const SHOWN_DRAWS = 12;
const MARKED = 4; // a slider reaches at least so many standard deviations

async function start() {
  const data = await loadData();
  const { about } = data;
  const { shape } = about;
  const model = new Model(data);
  // taken: what is taken up, {i, pixels, label, name, posterior}; z: the latent vector of the sliders.
  const state = { taken: {}, z: null, label: 0, map: "0", x: about.dimensions[0], y: about.dimensions[1] ?? about.dimensions[0] };

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

  // What holds for this model only, shown or not.
  const show = (selector, condition) => {
    for (const part of document.querySelectorAll(selector)) part.classList.toggle("off", !condition);
  };
  show(".labelled", data.labels);
  show(".standard", about.standard);
  show(".learned", !about.standard);
  show(".conditional", about.conditional);
  show(".binarizes", about.binarizes);
  const centred = about.ink && shape[0] === shape[1];
  show(".ink", centred);
  show(".color", shape[2] > 1);
  document.body.classList.toggle("is-ink", about.ink);
  document.body.classList.toggle("crisp", Math.max(shape[0], shape[1]) < 49);

  function fillFacts() {
    const { reconstruction, kl, count } = about.test;
    const facts = {
      "architecture": `${about.architecture}, ${about.weights.toLocaleString("en")} weights`,
      "latent dimensions K": about.latentDim,
      "images": shape.join("×"),
      "likelihood p(x|z)": about.likelihood,
      "prior p(z)": about.standard ? "standard, N(0, I)" : `${about.prior}, learned`,
      [`test −ELBO, ${about.unit}`]: `${signed(reconstruction + kl, 2)} = ${signed(reconstruction, 2)} reconstruction + ${signed(kl, 2)} KL`,
      "on this page": `${data.count.toLocaleString("en")} of ${count.toLocaleString("en")} test images; weights in ${about.precision}: ` +
        `pictures equal the model's within ${about.precision === "float32" ? "0.0001" : "2/255"}`,
    };
    for (const [name, value] of Object.entries(facts)) {
      $("facts").append(element("div", {}, element("dt", {}, name), element("dd", {}, String(value))));
    }
  }

  // The map.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  // On a dark page, the darker a colour is, the more white is mixed into it.
  const lighter = color => {
    const [r, g, b] = color.match(/\w\w/g).map(part => parseInt(part, 16));
    const white = 0.6 * (1 - (0.3 * r + 0.6 * g + 0.1 * b) / 255) ** 1.5;
    return `rgb(${[r, g, b].map(value => Math.round(value + white * (255 - value))).join()})`;
  };
  const colorOf = label => (dark.matches ? lighter(about.colors[label]) : about.colors[label]);
  const hiddenClasses = new Set();
  const map = new ImageMap($("map"), {
    dots: data.count,
    color: i => colorOf(labelOf(i)),
    shown: i => !hiddenClasses.has(labelOf(i)),
    point: i => {
      paintOn("pointed", data.image(i));
      $("pointed-name").textContent = nameOf(i);
    },
    take: (i, letter) => take(letter, i),
  });

  const isPlane = () => state.map === "z";
  const placeOf = i => {
    if (isPlane()) return [state.x, state.y].map(k => data.zMean.values[i * model.K + k]);
    const places = data.maps[state.map];
    return i < places.count ? [...places.at(i)] : null;
  };
  // Where an image is that has no place of its own: in the plane by its z, otherwise amid its neighbours.
  const placeOfLatent = z => {
    if (isPlane()) return [z[state.x], z[state.y]];
    const places = model.nearest(z, 8, i => placeOf(i) !== null).map(({ i }) => placeOf(i));
    return [0, 1].map(axis => places.reduce((sum, place) => sum + place[axis], 0) / places.length);
  };

  function showMap() {
    $("axes").classList.toggle("off", !isPlane());
    $("map-meaning").textContent = isPlane()
      ? `Posterior means: dimension ${state.x} across, dimension ${state.y} up. Z marks the vector of the sliders below.`
      : "t-SNE puts similar images near each other. Neighbourhoods count; the axes, sizes and distances of groups mean nothing.";
    map.setPlaces(placeOf, !isPlane());
    showMarks();
  }

  let drawnPosterior = null;
  function showMarks() {
    const marks = LETTERS.filter(letter => state.taken[letter]).map(letter => {
      const { i, posterior } = state.taken[letter];
      return { letter, place: i === null ? placeOfLatent(posterior.mean) : placeOf(i) };
    });
    if (drawnPosterior) marks.push({ letter: "D", place: placeOfLatent(drawnPosterior.mean) });
    if (isPlane() && state.z) marks.push({ letter: "Z", place: placeOfLatent(state.z) });
    map.setMarks(marks.filter(({ place }) => place));
  }

  function choices(select, options, chosen, change) {
    select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
    select.value = chosen;
    select.addEventListener("change", () => change(select.value));
  }

  function setUpMap() {
    choices($("map-choice"), [...data.maps.map(({ title }, i) => [i, title]), ["z", "two latent dimensions"]], state.map, value => {
      state.map = value;
      showMap();
      remember();
    });
    for (const axis of ["x", "y"]) {
      choices($(`map-${axis}`), about.dimensions.map(k => [k, dimensionName(k)]), state[axis], value => {
        state[axis] = Number(value);
        showMap();
        remember();
      });
    }
    $("map-reset").addEventListener("click", () => {
      map.reset();
      map.draw();
    });
    for (const button of document.querySelectorAll("[data-take]")) {
      button.addEventListener("click", () => map.pointed !== null && take(button.dataset.take, map.pointed));
    }
    if (data.labels) setUpLegend();
    map.pointAt(state.taken.A.i ?? 0);
  }

  function setUpLegend() {
    const boxes = about.classes.map((name, label) => {
      const box = element("input", { type: "checkbox" });
      const swatch = element("i");
      const paintSwatch = () => (swatch.style.background = colorOf(label));
      dark.addEventListener("change", paintSwatch);
      paintSwatch();
      box.checked = true;
      box.addEventListener("change", () => {
        hiddenClasses[box.checked ? "delete" : "add"](label);
        map.draw();
      });
      $("legend").append(element("label", {}, box, swatch, name));
      return box;
    });
    const all = element("button", { type: "button" }, "All or none");
    all.addEventListener("click", () => {
      const checked = !boxes.every(box => box.checked);
      boxes.forEach((box, label) => {
        box.checked = checked;
        hiddenClasses[checked ? "delete" : "add"](label);
      });
      map.draw();
    });
    $("legend").append(all);
  }

  // Images that are taken up: test images by their number, or a drawn one.
  function takeUp(letter, i, drawn) {
    const image = drawn ?? { i, pixels: data.image(i), label: labelOf(i), name: nameOf(i) };
    state.taken[letter] = { ...image, posterior: model.encode(image.pixels, image.label) };
  }

  function take(letter, i, drawn) {
    takeUp(letter, i, drawn);
    if (letter === "A") {
      state.label = state.taken.A.label;
      $("label").value = state.label;
      showA();
      setZ(state.taken.A.posterior.mean);
    }
    showTaken();
    remember();
  }

  function showTaken() {
    for (const letter of LETTERS) {
      paintOn(`image-${letter}`, state.taken[letter].pixels);
      $(`name-${letter}`).textContent = `${letter}: ${state.taken[letter].name}`;
    }
    showBetween();
    showMarks();
  }

  const axes = [];
  function showA() {
    const { pixels, name, label, posterior } = state.taken.A;
    const { reconstruction, kl } = model.terms(pixels, posterior, label);
    paintOn("original", pixels);
    $("original-name").textContent = name;
    paintOn("reconstruction", model.decode(posterior.mean, label));
    for (const [id, value] of Object.entries({ "loss": reconstruction + kl, "nats-reconstruction": reconstruction, "nats-kl": kl })) {
      $(id).textContent = signed(value, 2);
      $(id).title = `${value} nats`;
    }
    const kls = about.standard ? klOfDimensions(posterior) : null;
    for (const { k, axis } of axes) {
      axis.show(posterior.mean[k], posterior.sigma[k]);
      if (kls) axis.said.textContent += `, ${kls[k].toFixed(2)} nats`;
    }
  }

  // The sliders.
  const axisOf = k => {
    const reach = MARKED * about.std[k];
    const low = Math.min(about.mean[k] - reach, data.zMean.low[k]);
    const high = Math.max(about.mean[k] + reach, data.zMean.high[k]);
    return new Axis(low, high, about.mean[k], about.std[k]);
  };
  function setUpSliders() {
    const heads = ["dimension", "", "z", about.standard ? "posterior of A, its KL" : "posterior of A"];
    const classes = ["", "axis", "number", "said number"];
    const cells = heads.map((text, i) => element("span", { class: classes[i] }, text));
    $("sliders").append(element("div", { class: "row head", "aria-hidden": "true" }, ...cells));
    about.dimensions.forEach((k, rank) => {
      const axis = axisOf(k);
      const kl = about.kl[rank];
      const input = element("input", {
        type: "range", min: axis.low, max: axis.high, step: (axis.high - axis.low) / 400, "data-k": k,
        "aria-label": `Dimension ${k}, mean KL ${kl.toFixed(2)} nats`,
      });
      const number = element("output", { class: "number" });
      input.addEventListener("input", () => {
        state.z[k] = input.valueAsNumber;
        showZ();
      });
      axis.element.append(input);
      const name = element("span", {}, dimensionName(k), " ", element("small", {}, `KL ${kl.toFixed(2)}`));
      $("sliders").append(element("div", { class: "row" }, name, axis.element, number, axis.said));
      axes.push({ k, axis, input, number });
    });
    $("to-mean").addEventListener("click", () => setZ(state.taken.A.posterior.mean));
    $("to-draw").addEventListener("click", () => setZ(draw(state.taken.A.posterior, gaussians(model.K))));
    $("to-zero").addEventListener("click", () => setZ(about.mean));
    choices($("label"), about.classes.map((name, i) => [i, name]), state.label, value => {
      state.label = Number(value);
      showZ();
      showBetween();
      if ($("draws").childElementCount) showDraws();
    });
  }

  function setZ(z) {
    state.z = Float32Array.from(z);
    showZ();
  }

  function showZ() {
    soon("z", () => {
      const { nats, pixels } = model.engine.run("reconstruction", model.given({ images: state.taken.A.pixels, z: state.z }, state.label));
      paintOn("decoded", pixels);
      $("nats-z").textContent = signed(nats[0], 2);
      for (const { k, input, number } of axes) {
        input.value = state.z[k];
        number.textContent = signed(state.z[k], 2);
        input.setAttribute("aria-valuetext", number.textContent);
      }
      if (isPlane()) showMarks();
      remember();
    });
  }

  // Two images.
  const means = () => LETTERS.map(letter => state.taken[letter].posterior.mean);
  const between = t => walk(means()[0], means()[0], means()[1], t);
  const added = s => walk(means()[2], means()[0], means()[1], s);
  const strip = new Strip($("strip"));
  function showMix(id, at) {
    soon(id, () => {
      const value = $(id).valueAsNumber;
      $(`${id}-value`).textContent = signed(value, 2);
      paintOn($(`${id}-picture`).firstChild, decode(at(value)));
    });
  }
  function showBetween() {
    showMix("between", between);
    showMix("difference", added);
    strip.show(Array.from({ length: 9 }, (_, n) => n / 8), {
      label: t => `z between A and B, t = ${t}: take it into the sliders`,
      pixels: t => decode(between(t)),
      click: t => setZ(between(t)),
      shape,
    });
  }
  function setUpMixes() {
    for (const [id, at] of Object.entries({ between, difference: added })) {
      $(`${id}-picture`).append(element("canvas"));
      $(`${id}-picture`).addEventListener("click", () => setZ(at($(id).valueAsNumber)));
      $(id).addEventListener("input", () => showMix(id, at));
    }
  }

  // Draws of z.
  const drawStrip = new Strip($("draws"));
  const drawn = { source: "prior", first: -SHOWN_DRAWS };
  function showDraws() {
    const from = data.draws[drawn.source];
    drawStrip.show(Array.from({ length: Math.min(SHOWN_DRAWS, from.count) }, (_, n) => (drawn.first + n) % from.count), {
      label: n => `Draw ${n} from the ${drawn.source}: take its z into the sliders`,
      pixels: n => decode(from.at(n)),
      click: n => setZ(from.at(n)),
      shape,
    });
  }
  function setUpDraws() {
    const meanings = { prior: "Draw from the prior p(z)", mixture: "Draw from the mixture" };
    for (const source of Object.keys(meanings).filter(source => data.draws[source])) {
      const button = element("button", { type: "button", "data-draw": source }, meanings[source]);
      button.addEventListener("click", () => {
        drawn.first = drawn.source === source ? drawn.first + SHOWN_DRAWS : 0;
        drawn.source = source;
        showDraws();
      });
      $("draw-buttons").append(button);
    }
    $("draw-buttons").firstChild.click();
  }

  // A drawn image.
  const neighbours = new Strip($("neighbours"));
  const drawnAxes = about.dimensions.map(k => ({ k, axis: axisOf(k) }));
  let drawnImage = null;
  const sketch = new Sketch($("sketch"), shape, {
    centred,
    binarizes: about.binarizes,
    width: () => $("pen-width").valueAsNumber,
    color: () => (shape[2] > 1 ? $("pen-color").value : "#ffffff"),
    changed: () => soon("sketch", showDrawn),
  });
  function showDrawn() {
    const pixels = sketch.pixels();
    const label = Number($("drawn-label").value || 0);
    $("drawn").hidden = $("drawn-posterior").hidden = !pixels;
    drawnPosterior = pixels && model.encode(pixels, label);
    drawnImage = pixels && { i: null, pixels, label, name: "the drawn image" };
    $("take-drawn").disabled = !pixels;
    showMarks();
    const nearest = pixels ? model.nearest(drawnPosterior.mean, 8) : [];
    neighbours.show(nearest, {
      label: ({ i }) => `Take up ${nameOf(i)} as A`,
      pixels: ({ i }) => data.image(i),
      click: ({ i }) => take("A", i),
      below: ({ i, distance }) => element("small", {}, `${data.labels ? about.classes[labelOf(i)] : i} (${distance.toFixed(1)})`),
      shape,
    });
    if (!pixels) return;
    const { reconstruction, kl } = model.terms(pixels, drawnPosterior, label);
    paintOn("drawn-image", pixels);
    paintOn("drawn-reconstruction", model.decode(drawnPosterior.mean, label));
    for (const [id, value] of Object.entries({ loss: reconstruction + kl, nats: reconstruction, kl })) {
      $(`drawn-${id}`).textContent = signed(value, 2);
    }
    $("drawn-place").textContent = isPlane()
      ? "at its posterior mean in these two dimensions."
      : "at the mean place of its 8 nearest test images, since t-SNE has no place for new images.";
    for (const { k, axis } of drawnAxes) axis.show(drawnPosterior.mean[k], drawnPosterior.sigma[k]);
  }
  function setUpDrawing() {
    for (const { k, axis } of drawnAxes) {
      $("drawn-posterior").append(element("div", { class: "row" }, element("span", {}, dimensionName(k)), axis.element, axis.said));
    }
    choices($("drawn-label"), about.classes.map((name, i) => [i, name]), 0, showDrawn);
    $("clear").addEventListener("click", () => sketch.clear());
    $("take-drawn").addEventListener("click", () => drawnImage && take("A", null, drawnImage));
    showDrawn();
  }

  // The state in the address: #a=3&b=5&c=8&map=z&x=0&y=1&label=2&z=0.1,0.2
  let timer = null;
  let written = "";
  function remember() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const parts = new URLSearchParams();
      for (const letter of LETTERS) if (state.taken[letter].i !== null) parts.set(letter.toLowerCase(), state.taken[letter].i);
      parts.set("map", state.map);
      if (isPlane()) for (const axis of ["x", "y"]) parts.set(axis, state[axis]);
      if (about.conditional) parts.set("label", state.label);
      parts.set("z", [...state.z].map(value => +value.toFixed(3)).join());
      written = `#${decodeURIComponent(parts)}`;
      history.replaceState(null, "", written);
    }, 250);
  }
  function recall() {
    const parts = new URLSearchParams(location.hash.slice(1));
    const whole = (name, below) => {
      const value = Number(parts.get(name) ?? NaN);
      return Number.isInteger(value) && value >= 0 && value < below ? value : null;
    };
    const another = [...Array(data.count).keys()].find(i => labelOf(i) !== labelOf(0)) ?? Math.min(1, data.count - 1);
    const same = [...Array(data.count).keys()].find(i => i > 0 && labelOf(i) === labelOf(0) && i !== another) ?? 0;
    const defaults = { A: 0, B: another, C: same };
    for (const letter of LETTERS) takeUp(letter, whole(letter.toLowerCase(), data.count) ?? defaults[letter]);
    state.map = parts.get("map") === "z" || !data.maps.length ? "z" : String(whole("map", data.maps.length) ?? 0);
    for (const axis of ["x", "y"]) state[axis] = whole(axis, model.K) ?? state[axis];
    state.label = whole("label", about.classes.length) ?? state.taken.A.label;
    const z = parts.get("z")?.split(",").map(Number) ?? [];
    state.z = Float32Array.from(z.length === model.K && z.every(Number.isFinite) ? z : state.taken.A.posterior.mean);
  }
  function showAll() {
    $("map-choice").value = state.map;
    for (const axis of ["x", "y"]) $(`map-${axis}`).value = state[axis];
    $("label").value = state.label;
    showMap();
    showA();
    showTaken();
    showZ();
  }

  recall();
  fillFacts();
  setUpSliders();
  setUpMixes();
  setUpMap();
  setUpDraws();
  setUpDrawing();
  showAll();
  window.addEventListener("hashchange", () => {
    if (location.hash === written) return;
    recall();
    showAll();
  });
  window.explorer = { data, model, state, map, sketch }; // for the tests, and for the console
  document.querySelector("main").removeAttribute("aria-busy");
}

function showTrouble(message) {
  $("trouble").textContent = `Something failed: ${message}. This page needs a browser of 2023 or later.`;
  $("trouble").hidden = false;
}
window.addEventListener("error", event => showTrouble(event.message));
window.addEventListener("unhandledrejection", event => showTrouble(event.reason?.message ?? event.reason));
document.addEventListener("securitypolicyviolation", event => showTrouble(`${event.blockedURI} is refused`));
start();
