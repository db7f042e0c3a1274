// The sliders: one for each latent dimension, and the picture of their latent vector.
"use strict";

const MARKED = 4; // a slider reaches at least so many standard deviations

function createSlidersPanel(app) {
  const { data, about, model, state, paintOn, dimensionName, soon, choices, isPlane } = app;
  const axes = [];

  const axisOf = k => {
    const reach = MARKED * about.std[k];
    const low = Math.min(about.mean[k] - reach, data.zMean.low[k]);
    const high = Math.max(about.mean[k] + reach, data.zMean.high[k]);
    return new Axis(low, high, about.mean[k], about.std[k]);
  };

  function setUp() {
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
        show();
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
      show();
      app.mixes.show();
      app.draws.show();
    });
  }

  function setZ(z) {
    state.z = Float32Array.from(z);
    show();
  }

  function show() {
    soon("z", () => {
      const { nats, pixels } = model.engine.run("reconstruction", model.given({ images: state.taken.A.pixels, z: state.z }, state.label));
      paintOn("decoded", pixels);
      $("nats-z").textContent = signed(nats[0], 2);
      for (const { k, input, number } of axes) {
        input.value = state.z[k];
        number.textContent = signed(state.z[k], 2);
        input.setAttribute("aria-valuetext", number.textContent);
      }
      if (isPlane()) app.mapPanel.showMarks();
      app.address.remember();
    });
  }

  return { axes, axisOf, setZ, show, setUp };
}
