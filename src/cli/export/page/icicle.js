// SPDX-License-Identifier: MIT
//
// Computes the layout of the graph: rows of boxes from left to right, and the neighbours of each box.
'use strict';

/// In pixels. Narrower boxes are omitted with everything below them.
const NARROWEST = 0.5;

/// Returns the rows of the tree zoomed to `zoomed`, `width` pixels wide: one box for each caller, then everything
/// below. Children are sorted by weight, so the first box that is too narrow ends its row. The work depends on the
/// number of pixels, not on the size of the tree.
function layOut(zoomed, width) {
  const rows = pathTo(zoomed).map(node => [{node, left: 0, right: width}]);
  for (let row = rows.at(-1); row.length > 0; row = rows.at(-1)) {
    const next = [];
    for (const box of row) {
      const scale = (box.right - box.left) / box.node.weight;
      let left = box.left;
      for (const child of box.node.children) {
        const right = left + child.weight * scale;
        if (!(right - left >= NARROWEST)) {
          break;
        }
        next.push({node: child, left, right});
        left = right;
      }
    }
    if (next.length === 0) {
      break;
    }
    rows.push(next);
  }
  return rows;
}

/// Returns the box of the row at x, or undefined.
function boxAt(row, x) {
  let first = 0;
  let last = row.length;
  while (first < last) {
    const middle = (first + last) >> 1;
    if (row[middle].right > x) {
      last = middle;
    } else {
      first = middle + 1;
    }
  }
  return first < row.length && row[first].left <= x ? row[first] : undefined;
}

function boxOf(rows, node) {
  return rows[node.depth]?.find(box => box.node === node);
}

/// Returns the node that an arrow key moves to, or the same node at an edge.
function neighbour(rows, node, key) {
  const row = rows[node.depth] ?? [];
  const index = row.findIndex(box => box.node === node);
  switch (key) {
    case 'ArrowUp':
      return node.parent ?? node;
    case 'ArrowDown':
      return rows[node.depth + 1]?.find(box => box.node.parent === node)?.node ?? node;
    case 'ArrowLeft':
      return row[index - 1]?.node ?? node;
    case 'ArrowRight':
      return row[index + 1]?.node ?? node;
    case 'Home':
      return rows[0][0].node;
    default:
      return node;
  }
}
