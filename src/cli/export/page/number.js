// SPDX-License-Identifier: MIT
//
// Formats numbers: bytes, counts, shares and times, with a sign in a difference.
'use strict';

const MINUS = '\u2212';
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const COUNT_UNITS = ['', ' M', ' G', ' T'];

/// Returns three digits of a number from 0 to 1,023.
function threeDigits(number) {
  const digits = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
  return number.toFixed(digits);
}

function withSign(number, text, signed) {
  if (number < 0) {
    return MINUS + text;
  }
  return signed && number > 0 ? '+' + text : text;
}

function formatBytes(bytes, signed = false) {
  let size = Math.abs(bytes);
  let unit = 0;
  while (size >= 1023.5 && unit + 1 < BYTE_UNITS.length) {
    size /= 1024;
    unit += 1;
  }
  const text = unit === 0 ? String(Math.round(size)) : threeDigits(size);
  return withSign(bytes, `${text} ${BYTE_UNITS[unit]}`, signed);
}

function formatCount(count, signed = false) {
  let size = Math.abs(count);
  if (size < 999999.5) {
    return withSign(count, Math.round(size).toLocaleString('en-US'), signed);
  }
  let unit = 0;
  while (size >= 999.5 && unit + 1 < COUNT_UNITS.length) {
    size /= unit === 0 ? 1e6 : 1e3;
    unit += 1;
  }
  return withSign(count, threeDigits(size) + COUNT_UNITS[unit], signed);
}

/// Returns an empty text when the whole is 0.
function formatShare(part, whole) {
  if (!(whole > 0)) {
    return '';
  }
  const percent = 100 * part / whole;
  const text = Math.abs(percent) < 0.05 && percent !== 0 ? '< 0.1' : Math.abs(percent).toFixed(1);
  return withSign(part, `${text} %`, false);
}

function formatDate(nanoseconds) {
  return new Date(nanoseconds / 1e6).toISOString().slice(0, 19).replace('T', ' ') + ' UTC';
}

/// Returns the shortest form: "1 MiB" instead of "1.00 MiB".
function withoutZeros(text) {
  return text.replace(/\.0+(?=\D|$)/, '');
}

function formatTime(nanoseconds) {
  const steps = [[1, 'ns'], [1e3, 'µs'], [1e6, 'ms'], [1e9, 's']];
  const seconds = nanoseconds / 1e9;
  if (seconds >= 86400) {
    return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds % 86400 / 3600)} h`;
  }
  if (seconds >= 3600) {
    return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  }
  if (seconds >= 60) {
    return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  }
  const [scale, unit] = steps.findLast(([least]) => nanoseconds >= least) ?? steps[0];
  const value = nanoseconds / scale;
  return `${Number.isInteger(value) ? value : threeDigits(value)} ${unit}`;
}
