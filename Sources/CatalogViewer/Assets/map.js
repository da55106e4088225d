// The map of features, to move in: drawn on a canvas from the page's data. Without this the page shows a still drawing.
"use strict";

(async () => {
  const root = document.querySelector(".map");
  const view = root.querySelector(".view");
  const form = root.querySelector("form");
  const field = root.querySelector("#lit");
  const found = root.querySelector(".found");
  const beside = root.querySelector(".beside");
  let map;
  try {
    if (root.dataset.json) {
      const reply = await fetch(root.dataset.json);
      if (!reply.ok) return;
      map = await reply.json();
    } else {
      map = await routesae.load("data/map");
    }
  } catch {
    return;
  }
  const count = map.feature_index.length;
  const place = new Map(map.feature_index.map((feature, i) => [feature, i]));
  const words = map.label.map((label) => label.toLowerCase());
  const colourOf = new Map(map.layers.map((layer, i) => [layer, map.styles[i]]));
  const hasOne = map.styles.every((style) => style === "one");
  const styles = map.peak_layer.map((layer, i) =>
    map.max_activation[i] > 0 ? hasOne ? "one" : colourOf.get(layer) ?? "dead" : "dead");
  const diameters = [0.0022, 0.003, 0.0042, 0.006, 0.0086];
  const enlargement = Math.min(2, Math.max(1, Math.sqrt(12000 / Math.max(1, count))));
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const canvas = document.createElement("canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", view.querySelector("desc").textContent +
    " Arrows move, plus and minus zoom, 0 shows all.");
  // A new element in the drawing's place: the legend is no drawing that moved.
  const drawing = view.querySelector("svg");
  drawing.querySelector(".points").remove();
  const legend = drawing.cloneNode(true);
  legend.setAttribute("viewBox", "0 518 520 42");
  legend.classList.add("legend");
  const note = document.createElement("div");
  note.className = "note";
  note.hidden = true;
  const buttons = document.createElement("div");
  buttons.className = "zoom";
  for (const [text, name, act] of [["+", "Zoom in", () => zoom(1.6)], ["−", "Zoom out", () => zoom(1 / 1.6)],
    ["◻", "Show all", () => fit()]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.title = name;
    button.setAttribute("aria-label", name);
    button.addEventListener("click", act);
    buttons.append(button);
  }
  // The frame is there before: nothing around it moves.
  const frame = document.createElement("div");
  frame.className = "field";
  frame.append(canvas, note, buttons);
  drawing.replaceWith(frame, legend);

  // Points by cell of a grid, for the nearest one to the pointer.
  const cells = 96;
  const grid = Array.from({ length: cells * cells }, () => []);
  const cell = (v) => Math.min(cells - 1, Math.max(0, Math.floor(v / map.side * cells)));
  for (let i = 0; i < count; i++) grid[cell(map.y[i]) * cells + cell(map.x[i])].push(i);

  // Drawn in the order of sizes, large ones below.
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => map.size[b] - map.size[a] || a - b);
  const groups = new Map();
  for (const i of order) {
    const key = map.size[i] + " " + styles[i];
    if (!groups.has(key)) groups.set(key, { size: map.size[i], style: styles[i], points: [] });
    groups.get(key).points.push(i);
  }

  let colours = {};
  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue("--" + name).trim();
    colours = { one: value("bar"), dead: value("faint") };
    for (const name of ["ink", "accent", "paper"]) colours[name] = value(name);
    for (let i = 0; i < 10; i++) colours["y" + i] = value("y" + i);
  }

  // A point of the map at (x, y) stands at (x · scale + left, y · scale + top) of the canvas.
  let width = 0, height = 0, ratio = 1, scale = 1, left = 0, top = 0;
  let lit = null, hovered = -1, isDue = false, isWhole = true;

  function whole() { return Math.min(width, height) * 0.96 / map.side; }
  function fit() {
    scale = whole();
    left = (width - map.side * scale) / 2;
    top = (height - map.side * scale) / 2;
    isWhole = true;
    draw();
  }
  function zoom(factor, x = width / 2, y = height / 2) {
    const next = Math.min(whole() * 200, Math.max(whole() * 0.7, scale * factor));
    left = x - (x - left) * next / scale;
    top = y - (y - top) * next / scale;
    scale = next;
    isWhole = false;
    draw();
  }
  function radius(size) {
    const near = Math.pow(scale / whole(), 0.36);
    return Math.max(0.8, diameters[size] * enlargement * Math.min(width, height) / 2 * near);
  }

  function draw() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(paint);
  }
  function paint() {
    isDue = false;
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const shown = [];
    const mark = (i, r) => {
      const x = map.x[i] * scale + left, y = map.y[i] * scale + top;
      if (x < -r || y < -r || x > width + r || y > height + r) return false;
      if (r < 1.3) pen.rect(x - r, y - r, 2 * r, 2 * r);
      else { pen.moveTo(x + r, y); pen.arc(x, y, r, 0, 6.2832); }
      return true;
    };
    for (const group of groups.values()) {
      pen.fillStyle = colours[group.style];
      pen.globalAlpha = lit ? 0.16 : group.style === "dead" ? 0.5 : 0.88;
      pen.beginPath();
      const r = radius(group.size);
      for (const i of group.points) if (mark(i, r) && shown.length <= 160) shown.push(i);
      pen.fill();
    }
    pen.globalAlpha = 1;
    if (lit) {
      for (const i of lit) {
        pen.fillStyle = colours[styles[i]];
        pen.beginPath();
        if (!mark(i, radius(map.size[i]) + 1)) continue;
        pen.fill();
        if (lit.size <= 400) {
          pen.strokeStyle = colours.accent;
          pen.lineWidth = 1.6;
          pen.beginPath();
          mark(i, Math.max(4, radius(map.size[i]) + 2.5));
          pen.stroke();
        }
      }
    }
    const named = lit && lit.size <= 12 ? [...lit] : shown.length <= 160 && scale > whole() * 3 ? shown : [];
    name(pen, named);
    if (hovered >= 0) {
      pen.strokeStyle = colours.ink;
      pen.lineWidth = 1.6;
      pen.beginPath();
      mark(hovered, Math.max(4, radius(map.size[hovered]) + 2));
      pen.stroke();
    }
  }
  // Names beside points, each where it covers no other.
  function name(pen, points) {
    pen.font = "12px " + getComputedStyle(document.body).fontFamily;
    pen.textBaseline = "middle";
    pen.lineWidth = 3;
    pen.lineJoin = "round";
    pen.strokeStyle = colours.paper;
    pen.fillStyle = colours.ink;
    const taken = [];
    for (const i of points) {
      const x = map.x[i] * scale + left + radius(map.size[i]) + 5, y = map.y[i] * scale + top;
      const text = shortened(map.label[i] || String(map.feature_index[i]), 26);
      const wide = pen.measureText(text).width;
      if (x < 0 || x + wide > width || y < 8 || y > height - 8) continue;
      if (taken.some((box) => x < box.x + box.wide + 4 && box.x < x + wide + 4 && Math.abs(y - box.y) < 15)) continue;
      taken.push({ x, y, wide });
      pen.strokeText(text, x, y);
      pen.fillText(text, x, y);
    }
  }
  function shortened(text, most) { return text.length > most ? text.slice(0, most - 1) + "…" : text; }

  function nearest(x, y, reach) {
    const mx = (x - left) / scale, my = (y - top) / scale, r = reach / scale;
    let best = -1, least = r * r;
    for (let row = cell(my - r); row <= cell(my + r); row++) {
      for (let column = cell(mx - r); column <= cell(mx + r); column++) {
        for (const i of grid[row * cells + column]) {
          if (lit && !lit.has(i)) continue;
          const d = (map.x[i] - mx) ** 2 + (map.y[i] - my) ** 2;
          if (d < least) { least = d; best = i; }
        }
      }
    }
    return best;
  }
  function link(i) {
    return root.dataset.feature.replace(/(features\/|i=)0/, (_, before) => before + map.feature_index[i]);
  }
  function told(i) {
    const rate = map.firing_rate[i];
    const share = rate > 0 ? (rate * 100).toPrecision(2) + " % of tokens" : "never fires";
    const layer = map.peak_layer[i] === null || map.layers.length < 2 ? "" : "layer " + map.peak_layer[i] + ", ";
    const name = map.label[i] ? (map.is_explained[i] ? "" : "fires on ") + map.label[i] + "\n" : "";
    return map.feature_index[i] + "  " + name + layer + share;
  }
  function hover(i, x, y) {
    if (i !== hovered) {
      hovered = i;
      canvas.style.cursor = i >= 0 ? "pointer" : "grab";
      note.hidden = i < 0;
      if (i >= 0) note.textContent = told(i);
      draw();
    }
    if (i >= 0) {
      note.style.left = Math.min(x + 14, Math.max(0, width - note.offsetWidth - 4)) + "px";
      note.style.top = (y + 18 + note.offsetHeight > height ? y - note.offsetHeight - 10 : y + 18) + "px";
    }
  }

  // Pointers: one drags, two pinch.
  const held = new Map();
  let moved = 0;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  canvas.addEventListener("pointerdown", (event) => {
    held.set(event.pointerId, at(event));
    canvas.setPointerCapture(event.pointerId);
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const to = at(event), from = held.get(event.pointerId);
    if (!from) { hover(nearest(to.x, to.y, 14), to.x, to.y); return; }
    if (held.size === 2) {
      const other = [...held].find(([id]) => id !== event.pointerId)[1];
      const before = Math.hypot(from.x - other.x, from.y - other.y), after = Math.hypot(to.x - other.x, to.y - other.y);
      zoom(after / Math.max(1, before), (to.x + other.x) / 2, (to.y + other.y) / 2);
    } else {
      left += to.x - from.x;
      top += to.y - from.y;
      isWhole = false;
      draw();
    }
    moved += Math.abs(to.x - from.x) + Math.abs(to.y - from.y);
    held.set(event.pointerId, to);
  });
  const release = (event) => {
    const where = held.get(event.pointerId);
    held.delete(event.pointerId);
    if (event.type !== "pointerup" || !where || moved > 6) return;
    const i = nearest(where.x, where.y, event.pointerType === "touch" ? 24 : 14);
    if (i < 0) return;
    // A finger has no hovering: the first tap names the feature, the second opens it.
    if (event.pointerType === "touch" && i !== hovered) hover(i, where.x, where.y);
    else if (event.ctrlKey || event.metaKey || event.button === 1) window.open(link(i));
    else location.href = link(i);
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => hover(-1));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = at(event);
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), x, y);
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const step = 48;
    const keys = {
      ArrowLeft: () => { left += step; }, ArrowRight: () => { left -= step; },
      ArrowUp: () => { top += step; }, ArrowDown: () => { top -= step; },
      "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), "0": () => fit(),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    isWhole = false;
    keys[event.key]();
    draw();
  });

  // Search: a number is a feature, anything else a part of names.
  // In groups of three digits from five digits on, as elsewhere on the pages.
  function grouped(number) {
    return number < 10_000 ? String(number) : String(number).replace(/\B(?=(?:\d{3})+$)/g, "\u202f");
  }
  function light(indices, why) {
    lit = indices && indices.length ? new Set(indices) : null;
    // What is below stays where it is, also where the list becomes shorter.
    beside.style.minHeight ||= `${beside.offsetHeight}px`;
    found.replaceChildren();
    if (indices) {
      const heading = document.createElement("h2");
      heading.textContent = indices.length === 1 ? "1 feature" : grouped(indices.length) + " features";
      const small = document.createElement("small");
      small.textContent = why;
      heading.append(" ", small);
      const list = document.createElement("ol");
      list.className = "features tight";
      const strongest = [...indices].sort((a, b) => map.max_activation[b] - map.max_activation[a]).slice(0, 30);
      for (const i of strongest) {
        const item = document.createElement("li"), anchor = document.createElement("a");
        anchor.href = link(i);
        const id = document.createElement("span"), label = document.createElement("span");
        id.className = "id";
        id.textContent = map.feature_index[i];
        label.textContent = map.label[i];
        anchor.append(id, label);
        anchor.addEventListener("pointerenter", () => { hovered = i; draw(); });
        anchor.addEventListener("pointerleave", () => { hovered = -1; draw(); });
        anchor.addEventListener("focus", () => { hovered = i; draw(); });
        item.append(anchor);
        list.append(item);
      }
      found.append(heading, list);
    }
    root.classList.toggle("searching", indices !== null);
    draw();
  }
  function find() {
    const text = field.value.trim().toLowerCase();
    if (text === "") { light(null); return; }
    if (/^\d+$/.test(text) && place.has(Number(text))) { light([place.get(Number(text))], "by number"); return; }
    const indices = [];
    for (let i = 0; i < count; i++) if (words[i].includes(text)) indices.push(i);
    light(indices, "with this in their name");
  }
  function enclose() {
    if (!lit) return;
    isWhole = false;
    const points = [...lit], xs = points.map((i) => map.x[i]), ys = points.map((i) => map.y[i]);
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const span = Math.max(x1 - x0, y1 - y0, map.side / 14);
    const next = Math.min(width, height) * 0.8 / span;
    const [fromScale, fromX, fromY] = [scale, (width / 2 - left) / scale, (height / 2 - top) / scale];
    const [toX, toY] = [(x0 + x1) / 2, (y0 + y1) / 2];
    const begin = performance.now(), lasts = still.matches ? 0 : 320;
    const step = (now) => {
      const t = lasts ? Math.min(1, (now - begin) / lasts) : 1, ease = t * t * (3 - 2 * t);
      scale = fromScale * Math.pow(next / fromScale, ease);
      left = width / 2 - (fromX + (toX - fromX) * ease) * scale;
      top = height / 2 - (fromY + (toY - fromY) * ease) * scale;
      draw();
      if (t < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }
  field.addEventListener("input", find);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    find();
    enclose();
  });
  function follow() {
    const match = /^#f(\d+)$/.exec(location.hash);
    if (!match) return;
    field.value = match[1];
    find();
    enclose();
  }

  const resize = () => {
    const box = frame.getBoundingClientRect();
    const isFirst = width === 0;
    const [oldWidth, oldHeight] = [width, height];
    [width, height, ratio] = [box.width, box.height, window.devicePixelRatio || 1];
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    if (isFirst || isWhole) { fit(); return; }
    left += (width - oldWidth) / 2;
    top += (height - oldHeight) / 2;
    draw();
  };
  readColours();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });
  root.classList.add("live");
  resize();
  new ResizeObserver(resize).observe(frame);
  window.addEventListener("hashchange", follow);
  follow();
})();
