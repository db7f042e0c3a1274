// Draws of z from the prior and from the mixture.
"use strict";

const SHOWN_DRAWS = 12;

function createDrawsPanel(app) {
  const { data, shape, decode } = app;
  const strip = new Strip($("draws"));
  const drawn = { source: "prior", first: -SHOWN_DRAWS };
  function show() {
    const from = data.draws[drawn.source];
    strip.show(Array.from({ length: Math.min(SHOWN_DRAWS, from.count) }, (_, n) => (drawn.first + n) % from.count), {
      label: n => `Draw ${n} from the ${drawn.source}: take its z into the sliders`,
      pixels: n => decode(from.at(n)),
      click: n => app.sliders.setZ(from.at(n)),
      shape,
    });
  }
  function setUp() {
    const meanings = { prior: "Draw from the prior p(z)", mixture: "Draw from the mixture" };
    for (const source of Object.keys(meanings).filter(source => data.draws[source])) {
      const button = element("button", { type: "button", "data-draw": source }, meanings[source]);
      button.addEventListener("click", () => {
        drawn.first = drawn.source === source ? drawn.first + SHOWN_DRAWS : 0;
        drawn.source = source;
        show();
      });
      $("draw-buttons").append(button);
    }
    $("draw-buttons").firstChild.click();
  }

  return { show, setUp };
}
