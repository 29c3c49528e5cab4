// SPDX-License-Identifier: MIT
//
// The state of the page in its address, after the #: the metric, the search, the zoom, the groups and the span. A link
// to the page shows the same again.
'use strict';

function readAddress() {
  const state = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const index = text => (/^-?\d{1,6}$/.test(text ?? '') ? Number(text) : undefined);
  return {...state, from: index(state.from), to: index(state.to)};
}

/// Changes some of the state. An empty value is left out of the address.
function writeAddress(changes) {
  const state = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of Object.entries(changes)) {
    if (value === '' || value === undefined || value === null) {
      state.delete(name);
    } else {
      state.set(name, value);
    }
  }
  const text = state.toString();
  history.replaceState(null, '', text ? `#${text}` : '#');
}

/// The names on the path to a node, as one text, and back.
function focusOf(node) {
  return pathTo(node).slice(1).map(step => encodeURIComponent(step.place.name)).join(';');
}

function nodeOfFocus(tree, focus) {
  let node = tree.root;
  for (const name of (focus ?? '').split(';').filter(Boolean)) {
    const next = node.children.find(child => encodeURIComponent(child.place.name) === name);
    if (!next) {
      return node;
    }
    node = next;
  }
  return node;
}
