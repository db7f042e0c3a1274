// The images that are taken up, test images by their number or a drawn one, and what the model makes of image A.
"use strict";

function createTakenPanel(app) {
  const { data, about, model, state, nameOf, labelOf, paintOn } = app;

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
      app.sliders.setZ(state.taken.A.posterior.mean);
    }
    show();
    app.address.remember();
  }

  function show() {
    for (const letter of LETTERS) {
      paintOn(`image-${letter}`, state.taken[letter].pixels);
      $(`name-${letter}`).textContent = `${letter}: ${state.taken[letter].name}`;
    }
    app.mixes.show();
    app.mapPanel.showMarks();
  }

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
    for (const { k, axis } of app.sliders.axes) {
      axis.show(posterior.mean[k], posterior.sigma[k]);
      if (kls) axis.said.textContent += `, ${kls[k].toFixed(2)} nats`;
    }
  }

  return { takeUp, take, show, showA };
}
