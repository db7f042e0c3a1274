// A drawn image: what the model sees of it, makes of it, and the test images near it.
"use strict";

function createDrawingPanel(app) {
  const { data, about, shape, model, nameOf, labelOf, paintOn, dimensionName, soon, choices, centred, isPlane } = app;
  const neighbours = new Strip($("neighbours"));
  const drawnAxes = about.dimensions.map(k => ({ k, axis: app.sliders.axisOf(k) }));
  let posterior = null;
  let drawnImage = null;
  const sketch = new Sketch($("sketch"), shape, {
    centred,
    binarizes: about.binarizes,
    width: () => $("pen-width").valueAsNumber,
    color: () => (shape[2] > 1 ? $("pen-color").value : "#ffffff"),
    changed: () => soon("sketch", show),
  });
  function show() {
    const pixels = sketch.pixels();
    const label = Number($("drawn-label").value || 0);
    $("drawn").hidden = $("drawn-posterior").hidden = !pixels;
    posterior = pixels && model.encode(pixels, label);
    drawnImage = pixels && { i: null, pixels, label, name: "the drawn image" };
    $("take-drawn").disabled = !pixels;
    app.mapPanel.showMarks();
    const nearest = pixels ? model.nearest(posterior.mean, 8) : [];
    neighbours.show(nearest, {
      label: ({ i }) => `Take up ${nameOf(i)} as A`,
      pixels: ({ i }) => data.image(i),
      click: ({ i }) => app.taken.take("A", i),
      below: ({ i, distance }) => element("small", {}, `${data.labels ? about.classes[labelOf(i)] : i} (${distance.toFixed(1)})`),
      shape,
    });
    if (!pixels) return;
    const { reconstruction, kl } = model.terms(pixels, posterior, label);
    paintOn("drawn-image", pixels);
    paintOn("drawn-reconstruction", model.decode(posterior.mean, label));
    for (const [id, value] of Object.entries({ loss: reconstruction + kl, nats: reconstruction, kl })) {
      $(`drawn-${id}`).textContent = signed(value, 2);
    }
    $("drawn-place").textContent = isPlane()
      ? "at its posterior mean in these two dimensions."
      : "at the mean place of its 8 nearest test images, since t-SNE has no place for new images.";
    for (const { k, axis } of drawnAxes) axis.show(posterior.mean[k], posterior.sigma[k]);
  }
  function setUp() {
    for (const { k, axis } of drawnAxes) {
      $("drawn-posterior").append(element("div", { class: "row" }, element("span", {}, dimensionName(k)), axis.element, axis.said));
    }
    choices($("drawn-label"), about.classes.map((name, i) => [i, name]), 0, show);
    $("clear").addEventListener("click", () => sketch.clear());
    $("take-drawn").addEventListener("click", () => drawnImage && app.taken.take("A", null, drawnImage));
    show();
  }

  return { sketch, posterior: () => posterior, setUp };
}
