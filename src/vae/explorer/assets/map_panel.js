// The panel of the map: which map is shown, what is marked on it, and the classes that are shown.
"use strict";

function createMapPanel(app) {
  const { data, about, model, state, nameOf, labelOf, paintOn, dimensionName, choices, isPlane } = app;
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
    take: (i, letter) => app.taken.take(letter, i),
  });

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

  function show() {
    $("axes").classList.toggle("off", !isPlane());
    $("map-meaning").textContent = isPlane()
      ? `Posterior means: dimension ${state.x} across, dimension ${state.y} up. Z marks the vector of the sliders below.`
      : "t-SNE puts similar images near each other. Neighbourhoods count; the axes, sizes and distances of groups mean nothing.";
    map.setPlaces(placeOf, !isPlane());
    showMarks();
  }

  function showMarks() {
    const marks = LETTERS.filter(letter => state.taken[letter]).map(letter => {
      const { i, posterior } = state.taken[letter];
      return { letter, place: i === null ? placeOfLatent(posterior.mean) : placeOf(i) };
    });
    const drawn = app.drawing.posterior();
    if (drawn) marks.push({ letter: "D", place: placeOfLatent(drawn.mean) });
    if (isPlane() && state.z) marks.push({ letter: "Z", place: placeOfLatent(state.z) });
    map.setMarks(marks.filter(({ place }) => place));
  }

  function setUp() {
    choices($("map-choice"), [...data.maps.map(({ title }, i) => [i, title]), ["z", "two latent dimensions"]], state.map, value => {
      state.map = value;
      show();
      app.address.remember();
    });
    for (const axis of ["x", "y"]) {
      choices($(`map-${axis}`), about.dimensions.map(k => [k, dimensionName(k)]), state[axis], value => {
        state[axis] = Number(value);
        show();
        app.address.remember();
      });
    }
    $("map-reset").addEventListener("click", () => {
      map.reset();
      map.draw();
    });
    for (const button of document.querySelectorAll("[data-take]")) {
      button.addEventListener("click", () => map.pointed !== null && app.taken.take(button.dataset.take, map.pointed));
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

  return { map, show, showMarks, setUp };
}
