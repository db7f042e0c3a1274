// Two images: the way between them, and their difference added to a third.
"use strict";

function createMixesPanel(app) {
  const { shape, state, paintOn, decode, soon } = app;
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
  function show() {
    showMix("between", between);
    showMix("difference", added);
    strip.show(Array.from({ length: 9 }, (_, n) => n / 8), {
      label: t => `z between A and B, t = ${t}: take it into the sliders`,
      pixels: t => decode(between(t)),
      click: t => app.sliders.setZ(between(t)),
      shape,
    });
  }
  function setUp() {
    for (const [id, at] of Object.entries({ between, difference: added })) {
      $(`${id}-picture`).append(element("canvas"));
      $(`${id}-picture`).addEventListener("click", () => app.sliders.setZ(at($(id).valueAsNumber)));
      $(id).addEventListener("input", () => showMix(id, at));
    }
  }

  return { show, setUp };
}
