"use strict";
// What the portal's scripts share. Whatever comes from a record is put on the page as text, never as markup.

function read(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

// An element with attributes and children; a child that is no element is text.
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== "" && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== "" && child !== null));
  return element;
}

function svg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// A sentence with what goes into it.
function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values.get(name));
}

function say(words, key, ...pairs) {
  return fill(words[key], new Map(pairs));
}

// A text as it is searched: without case, width or spaces at its ends.
function plain(text) {
  return text.normalize("NFKC").toLocaleLowerCase().trim();
}

function hasAll(text, parts) {
  return parts.every((part) => text.includes(part));
}

function count(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

// Names may be written from right to left, and are kept apart from what stands beside them.
function name(text) {
  return make("bdi", {}, text);
}

// An address below this folder, of names of folders and files.
function path(...parts) {
  return parts.map(encodeURIComponent).join("/");
}
