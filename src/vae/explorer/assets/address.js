// The state in the address: #a=3&b=5&c=8&map=z&x=0&y=1&label=2&z=0.1,0.2
"use strict";

function createAddress(app) {
  const { data, about, model, state, labelOf, isPlane } = app;
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
    for (const letter of LETTERS) app.taken.takeUp(letter, whole(letter.toLowerCase(), data.count) ?? defaults[letter]);
    state.map = parts.get("map") === "z" || !data.maps.length ? "z" : String(whole("map", data.maps.length) ?? 0);
    for (const axis of ["x", "y"]) state[axis] = whole(axis, model.K) ?? state[axis];
    state.label = whole("label", about.classes.length) ?? state.taken.A.label;
    const z = parts.get("z")?.split(",").map(Number) ?? [];
    state.z = Float32Array.from(z.length === model.K && z.every(Number.isFinite) ? z : state.taken.A.posterior.mean);
  }

  return { remember, recall, isCurrent: () => location.hash === written };
}
