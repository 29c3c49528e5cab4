// SPDX-License-Identifier: MIT
//
// Elements of the page: found by id, or made with attributes and children. Text goes in as text, never as markup.
// Knows nothing of profiles.
// Called by every script that shows something.
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

/// Runs `task` once before the next picture, however often it was asked for.
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

/// A colour of the style sheet as the canvas understands it, in the theme that is on.
function colourOf(expression) {
  const probe = element('span');
  probe.style.color = expression;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
