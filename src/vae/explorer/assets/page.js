// The page: its panels, and facts about the model.
"use strict";

async function start() {
  const app = createApp(await loadData());
  Object.assign(app, { sliders: createSlidersPanel(app), taken: createTakenPanel(app), mixes: createMixesPanel(app) });
  Object.assign(app, { draws: createDrawsPanel(app), drawing: createDrawingPanel(app), mapPanel: createMapPanel(app) });
  app.address = createAddress(app);
  app.address.recall();
  showWhatHolds(app);
  fillFacts(app);
  for (const panel of [app.sliders, app.mixes, app.mapPanel, app.draws, app.drawing]) panel.setUp();
  showAll(app);
  window.addEventListener("hashchange", () => {
    if (app.address.isCurrent()) return;
    app.address.recall();
    showAll(app);
  });
  const { data, model, state } = app;
  window.explorer = { data, model, state, map: app.mapPanel.map, sketch: app.drawing.sketch }; // for tests and the console
  document.querySelector("main").removeAttribute("aria-busy");
}

function showAll({ state, mapPanel, taken, sliders }) {
  $("map-choice").value = state.map;
  for (const axis of ["x", "y"]) $(`map-${axis}`).value = state[axis];
  $("label").value = state.label;
  mapPanel.show();
  taken.showA();
  taken.show();
  sliders.show();
}

// Show the parts of the text that hold for this model, and hide the others.
function showWhatHolds({ data, about, shape, centred }) {
  const show = (selector, condition) => {
    for (const part of document.querySelectorAll(selector)) part.classList.toggle("off", !condition);
  };
  show(".labelled", data.labels);
  show(".standard", about.standard);
  show(".learned", !about.standard);
  show(".conditional", about.conditional);
  show(".binarizes", about.binarizes);
  show(".ink", centred);
  show(".color", shape[2] > 1);
  document.body.classList.toggle("is-ink", about.ink);
  document.body.classList.toggle("crisp", Math.max(shape[0], shape[1]) < 49);
}

function fillFacts({ data, about, shape }) {
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

function showTrouble(message) {
  $("trouble").textContent = `Something failed: ${message}. This page needs a browser of 2023 or later.`;
  $("trouble").hidden = false;
}
window.addEventListener("error", event => showTrouble(event.message));
window.addEventListener("unhandledrejection", event => showTrouble(event.reason?.message ?? event.reason));
document.addEventListener("securitypolicyviolation", event => showTrouble(`${event.blockedURI} is refused`));
start();
