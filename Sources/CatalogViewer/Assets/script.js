// What the pages can do beyond links and forms. Everything but this works without it.
"use strict";

const find = document.getElementById("find");

function isTyping(target) {
  return target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]") !== null;
}

function help() {
  let dialog = document.getElementById("help");
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.id = "help";
    const heading = document.createElement("h2");
    heading.textContent = "Keys";
    const list = document.createElement("dl");
    list.className = "fields";
    const keys = [["/", "search"], ["← →", "previous and next"], ["?", "this help"], ["Esc", "close"]];
    for (const [key, what] of keys) {
      const term = document.createElement("dt");
      const name = document.createElement("kbd");
      name.textContent = key;
      term.append(name);
      const text = document.createElement("dd");
      text.textContent = what;
      list.append(term, text);
    }
    dialog.append(heading, list);
    dialog.addEventListener("click", () => dialog.close());
    document.body.append(dialog);
  }
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    if (event.key === "Enter" && event.shiftKey === false && event.target.id === "text") {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
    // Enter among the fields of steering steers; without a script it reads.
    const steer = event.key === "Enter" && event.target.closest(".steer")?.querySelector("button[formaction]");
    if (steer) {
      event.preventDefault();
      steer.form.requestSubmit(steer);
    }
    return;
  }
  // What a page gives a key of its own.
  const own = /^(?:[0-9a-z]|Enter)$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]`);
  if (own && !document.querySelector("dialog[open]") && !(event.key === "Enter" && event.target.closest("a, button"))) {
    event.preventDefault();
    own.click();
    return;
  }
  if (event.key === "/" && find) {
    event.preventDefault();
    find.focus();
    find.select();
  } else if (event.key === "?") {
    help();
  } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    const link = document.querySelector(event.key === "ArrowLeft" ? "a[rel=prev]" : "a[rel=next]");
    if (link && !document.querySelector("dialog[open]")) link.click();
  }
});

// A context's passage, opened in its place.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a.open");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  const context = link.closest(".ctx");
  const open = context.querySelector(".whole");
  if (open) {
    open.remove();
    return;
  }
  try {
    const reply = await fetch(link.href);
    if (!reply.ok) throw new Error(reply.statusText);
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const whole = document.createElement("div");
    whole.className = "whole";
    whole.append(document.adoptNode(page.querySelector(".passage")));
    context.append(whole);
    reachScrollers();
    whole.querySelector(".pk")?.scrollIntoView({ block: "nearest" });
  } catch {
    location.href = link.href;
  }
});

// A feature picked from a list is taken into the fields of steering, without asking the server.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.pick");
  const steer = document.getElementById("steer");
  if (!button || !steer) return;
  event.preventDefault();
  const field = (name) => steer.querySelector(`[name=${name}]`);
  field("feature").value = button.value;
  const strength = field("strength");
  const isOwn = strength.value !== "" && strength.value !== strength.dataset.filled;
  if (field("operation").value !== "multiply" && !isOwn) {
    strength.value = strength.dataset.filled = button.dataset.most ?? "";
  }
  const chosen = steer.querySelector(".chosen");
  const named = button.parentElement.querySelector("a");
  const link = document.createElement("a");
  link.href = named.href;
  link.textContent = `Feature ${button.value}`;
  chosen.replaceChildren(link, " ", named.lastElementChild.cloneNode(true));
  steer.scrollIntoView({ block: "nearest" });
  strength.focus();
});

// What scrolls by itself is reached by the keyboard in every browser.
function reachScrollers() {
  for (const part of document.querySelectorAll(".scroll, pre.tall, .whole")) {
    if (part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}
reachScrollers();
window.addEventListener("resize", reachScrollers);

// Empty fields of a filter, and those that say what is so anyway, stay out of the address.
for (const form of document.querySelectorAll("form.filter")) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) {
      if (field.value === "" || field.value === field.dataset.usual) field.disabled = true;
    }
  });
  window.addEventListener("pageshow", (event) => {
    for (const field of form.elements) field.disabled = false;
    // A page that comes back shows what its address says, not what was typed when it was left.
    if (event.persisted) form.reset();
  });
}
