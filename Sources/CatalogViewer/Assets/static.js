// Pages of a folder: lists and features out of scripts, since a page opened from a disk may not fetch.
"use strict";

const waiting = new Map();
const loading = new Map();

// What the scripts of data call.
window.routesae = {
  take(name, packed) {
    waiting.get(name)?.(packed);
  },
  load,
};

// The data of a script: JSON, compressed by gzip, in base64.
function load(name) {
  if (!loading.has(name)) {
    const packed = new Promise((resolve, reject) => {
      waiting.set(name, resolve);
      const script = document.createElement("script");
      script.src = `${name}.js`;
      script.addEventListener("error", () => reject(new Error(`${name}.js cannot be read`)));
      document.head.append(script);
    });
    loading.set(name, packed.then(async (text) => {
      const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      return JSON.parse(await new Response(stream).text());
    }));
  }
  return loading.get(name);
}

function say(main, text, kind) {
  const line = document.createElement("p");
  line.className = kind;
  line.setAttribute("role", kind === "damaged" ? "alert" : "status");
  line.textContent = text;
  main.append(line);
  return line;
}

async function showFeature(main) {
  const size = Number(main.dataset.shard);
  const count = Number(main.dataset.count);
  const asked = new URLSearchParams(location.search).get("i") ?? "0";
  const index = /^\d+$/u.test(asked) ? Number(asked) : count;
  if (index >= count) {
    say(main, `There is no feature ${asked}; there are 0 … ${count - 1}.`, "damaged");
    return;
  }
  const pages = await load(`data/pages-${Math.floor(index / size)}`);
  // Markup that the program wrote, as it serves it.
  main.innerHTML = pages[index % size];
  const name = document.title.split(" · ").pop();
  document.title = `${main.querySelector("h1")?.textContent.trim() ?? ""} · feature ${index} · ${name}`;
}

// The words and phrases of a search.
function terms(text) {
  const found = [];
  text.split('"').forEach((part, number) => {
    const pieces = number % 2 === 1 ? [part.trim()] : part.split(/\s+/);
    for (const piece of pieces) if (piece) found.push(piece.toLowerCase());
  });
  return found;
}

// Whether a word begins, and unless it ends with a star ends, at a border of words.
function holds(words, term) {
  const isPrefix = term.endsWith("*");
  const word = isPrefix ? term.slice(0, -1) : term;
  const letter = /[\p{L}\p{N}]/u;
  for (let at = words.indexOf(word); at >= 0; at = words.indexOf(word, at + 1)) {
    const before = words.slice(Math.max(0, at - 1), at);
    const after = words.slice(at + word.length, at + word.length + 1);
    if (!letter.test(before) && (isPrefix || !letter.test(after))) return true;
  }
  return false;
}

const comparisons = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a !== null && a < b,
  "<=": (a, b) => a !== null && a <= b,
  ">": (a, b) => a !== null && a > b,
  ">=": (a, b) => a !== null && a >= b,
};

// The values of a column by feature.
function valuesOf(index, name) {
  if (name === "feature_index") return index.order.map((_, feature) => feature);
  return Object.hasOwn(index.columns, name) ? index.columns[name] : undefined;
}

// A whole number in the address, 0 without one.
function number(query, name) {
  const text = query.get(name) || "0";
  if (!/^\d+$/u.test(text)) throw new Error(`${name} is "${text}"; it takes a whole number from 0`);
  return Number(text);
}

// A condition such as `p99 > 5`, as a test of a feature.
function condition(index, text) {
  const parts = /^\s*(\w+)\s*(!=|<>|<=|>=|==|=|<|>|like\s)\s*(.*?)\s*$/iu.exec(text);
  if (!parts) throw new Error(`'${text}' is not of the form COLUMN OP VALUE, with one of = != < <= > >= like`);
  const column = valuesOf(index, parts[1]);
  if (!column) throw new Error(`there is no column '${parts[1]}'`);
  const operator = { "<>": "!=", "==": "=" }[parts[2]] ?? parts[2].trim().toLowerCase();
  const quoted = /^'(.*)'$/su.exec(parts[3]);
  const isText = column.some((value) => typeof value === "string");
  const value = quoted ? quoted[1].replaceAll("''", "'") : parts[3].toLowerCase() === "null" ? null
    : isText ? parts[3] : { true: 1, false: 0 }[parts[3].toLowerCase()] ?? Number(parts[3]);
  if (Number.isNaN(value)) throw new Error(`column '${parts[1]}' holds numbers, and '${parts[3]}' is none`);
  if (operator === "like") {
    const pattern = new RegExp(`^${String(value).replace(/[.*+?^${}()|[\]\\]/gu, "\\$&").replaceAll("%", ".*").replaceAll("_", ".")}$`, "isu");
    return (feature) => column[feature] !== null && pattern.test(column[feature]);
  }
  return (feature) => comparisons[operator](column[feature], value);
}

// The features that an address asks for, in its order.
function choose(index, query) {
  let chosen = [...index.order];
  for (const text of query.getAll("where").flatMap((part) => part.split(";"))) {
    if (text.trim()) chosen = chosen.filter(condition(index, text));
  }
  for (const term of terms(query.get("q") ?? "")) {
    const text = (feature) => `${index.columns.explanation[feature]?.toLowerCase() ?? ""}\n${index.words[feature]}`;
    chosen = chosen.filter((feature) => holds(text(feature), term));
  }
  const token = query.get("token");
  if (token) chosen = chosen.filter((feature) => index.tokens[feature].includes(token.trim()) || index.tokens[feature].includes(token));
  const layer = query.get("layer");
  if (layer) {
    const wanted = number(query, "layer");
    chosen = chosen.filter((feature) => index.columns.peak_layer[feature] === wanted);
  }
  if (query.get("alive")) chosen = chosen.filter((feature) => index.columns.is_dead[feature] === 0);

  const sort = query.get("sort") || "max_activation";
  const values = valuesOf(index, sort);
  if (!values) throw new Error(`features are not sorted by ${sort}`);
  const sign = index.measures.includes(sort) !== (query.get("order") === "reversed") ? -1 : 1;
  return chosen.sort((one, other) => {
    const [a, b] = [values[one], values[other]];
    if (a === b) return one - other;
    if (a === null || b === null) return a === null ? 1 : -1;
    return a < b ? -sign : sign;
  });
}

// A link to the page of the list that begins with a row.
function link(query, offset, text, rel = "") {
  const fields = new URLSearchParams(query);
  fields.delete("offset");
  if (offset > 0) fields.set("offset", offset);
  const anchor = document.createElement("a");
  anchor.rel = rel;
  anchor.href = `features.html?${fields}`;
  anchor.textContent = text;
  return anchor;
}

function pager(query, offset, size, total) {
  const links = [];
  if (offset > 0) links.push(link(query, Math.max(0, offset - size), "← previous", "prev"));
  if (offset + size < total) links.push(link(query, offset + size, "next →", "next"));
  if (links.length === 0) return null;
  const nav = document.createElement("nav");
  nav.className = "pager";
  nav.setAttribute("aria-label", "Pages");
  nav.append(...links);
  return nav;
}

// Fills a field in; it keeps that when the form is reset, as it is where the browser brings the page back.
function fill(field, value) {
  if (field.type === "checkbox") {
    field.defaultChecked = field.checked = value === field.value;
  } else if (field.options) {
    for (const option of field.options) option.defaultSelected = option.value === value;
    field.value = value;
  } else {
    field.defaultValue = field.value = value;
  }
}

async function showList(main) {
  const query = new URLSearchParams(location.search);
  const form = main.querySelector("form.filter");
  for (const field of form.elements) {
    if (!field.name || !query.has(field.name)) continue;
    fill(field, query.getAll(field.name).join("; "));
  }
  const heads = main.querySelector(".heads");
  for (const old of main.querySelectorAll(":scope > :not(h1, form, .crumbs)")) old.remove();
  const index = await load("data/index");
  const size = Number(main.dataset.shard);
  const offset = number(query, "offset");
  const chosen = choose(index, query);
  const shown = chosen.slice(offset, offset + size);
  // In groups of three digits from five digits on, as on the server's pages.
  const count = (number) => String(number).length < 5 ? String(number)
    : String(number).replace(/\B(?=(?:\d{3})+$)/g, "\u202f");
  const range = shown.length ? `${count(offset + 1)}–${count(offset + shown.length)}` : "none";
  say(main, `${range} of ${count(chosen.length)}`, "fine");
  if (shown.length === 0) {
    const line = say(main, "No feature is like that.", "hint");
    if (offset > 0) line.append(" ", link(query, 0, "The first page"));
    return;
  }
  const place = new Map(index.order.map((feature, rank) => [feature, rank]));
  const list = document.createElement("ol");
  list.className = "rows";
  if (heads) main.append(heads);
  main.append(list);
  const rows = await Promise.all(shown.map(async (feature) => {
    const rank = place.get(feature);
    const template = document.createElement("template");
    template.innerHTML = await load(`data/rows-${Math.floor(rank / size)}`);
    return template.content.children[rank % size];
  }));
  list.append(...rows);
  const nav = pager(query, offset, size, chosen.length);
  if (nav) main.append(nav);
}

const main = document.getElementById("main");
const show = { feature: showFeature, list: location.search ? showList : null }[main.dataset.kind];
show?.(main).then(reachScrollers, (error) => say(main, error.message, "damaged"));
