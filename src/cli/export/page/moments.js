// SPDX-License-Identifier: MIT
//
// What of a profile is shown: all of it, a span of time, or the comparison with a base. A span is the difference of two
// moments at which dumps were written.
'use strict';

const MOMENT_FIELDS = NUMBERS.filter(name => !name.startsWith('peak.'));

/// Returns the numbers at a moment. Each moment lists the changes since the one before. Moment -1 is the start.
function columnsAt(profile, moment) {
  const columns = columnsOf({}, profile.stacks.count);
  for (let index = 0; index <= moment; ++index) {
    for (const [stack, ...numbers] of profile.moments[index].changes) {
      numbers.forEach((number, field) => {
        columns[MOMENT_FIELDS[field]][stack] += number;
      });
    }
  }
  return columns;
}

/// Returns the whole span of a profile: from the start to its last dump.
function wholeSpan(profile) {
  return {from: -1, to: profile.moments?.length ?? 0};
}

/// Returns the span between two moments, or the whole if these are none of the profile's.
function spanOf(profile, from, to) {
  const whole = wholeSpan(profile);
  const span = {from: from ?? whole.from, to: to ?? whole.to};
  return span.from >= whole.from && span.from < span.to && span.to <= whole.to ? span : whole;
}

/// Returns the profile with what changed in the span.
function profileOfSpan(profile, {from, to}) {
  const last = profile.moments?.length ?? 0;
  if (from < 0 && to >= last) {
    return profile;
  }
  const end = to >= last ? profile.stacks.columns : columnsAt(profile, to);
  const changed = differenceOf(end, columnsAt(profile, from));
  const columns = columnsOf(Object.fromEntries(MOMENT_FIELDS.map(name => [name, changed[name]])), profile.stacks.count);
  return {...profile, stacks: profile.stacks.with(columns, NO_LIFETIMES), has_peak: false, difference: true};
}

/// What can be shown of a profile with a base.
const VIEWS = {
  change: 'what changed since the base',
  after: 'this dump',
  before: 'the base',
};

/// Returns the classes of one profile minus those of another.
function classesSince(classes, before) {
  const old = new Map(before.map(entry => [entry.size, entry]));
  const none = {hits: 0, misses: 0, puts: 0};
  const sizes = [...new Set([...classes, ...before].map(entry => entry.size))].sort((a, b) => a - b);
  const now = new Map(classes.map(entry => [entry.size, entry]));
  return sizes.map(size => {
    const [one, other] = [now.get(size) ?? none, old.get(size) ?? none];
    return {size, hits: one.hits - other.hits, misses: one.misses - other.misses, puts: one.puts - other.puts};
  });
}

/// Returns the lifetimes of one profile minus those of another.
function lifetimesSince(lifetimes, before) {
  return {stacks: [...lifetimes.stacks, ...before.stacks], log2: [...lifetimes.log2, ...before.log2],
          objects: [...lifetimes.objects, ...before.objects.map(objects => -objects)]};
}

/// Returns the profile as the view shows it.
function profileOfView(profile, view) {
  const {base, stacks} = profile;
  if (!base || view === 'after') {
    return profile;
  }
  const before = stacks.with(columnsOf(base.stacks.columns, stacks.count), base.stacks.lifetimes);
  if (view === 'before') {
    return {...profile, ...base, stacks: before, timeline: [], moments: []};
  }
  return {
    ...profile, difference: true, has_peak: profile.has_peak && base.has_peak,
    classes: classesSince(profile.classes, base.classes),
    stacks: stacks.with(differenceOf(stacks.columns, before.columns),
                        lifetimesSince(stacks.lifetimes, before.lifetimes)),
  };
}
