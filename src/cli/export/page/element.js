// SPDX-License-Identifier: MIT
//
// Finds elements of the page by id, and creates elements. Text is inserted as text, never as markup.
'use strict';

const SVG = 'http://www.w3.org/2000/svg';

function byId(id) {
  return document.getElementById(id);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) {
      node.setAttribute(name, value === true ? '' : value);
    }
  }
  node.append(...children);
  return node;
}

function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svgElement(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

/// Runs `task` once before the next frame is painted, no matter how often it was requested.
function beforeNextFrame(task) {
  let asked = false;
  return () => {
    if (!asked) {
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        task();
      });
    }
  };
}

/// Returns a colour of the style sheet in the current theme, in a form that the canvas accepts.
function colourOf(expression) {
  const probe = element('span');
  probe.style.color = expression;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
