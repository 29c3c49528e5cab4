// SPDX-License-Identifier: MIT
//
// The light or dark theme: that of the system, until the button changes it.
'use strict';

class Theme {
  constructor(button, onChange) {
    this.button = button;
    this.onChange = onChange;
    this.system = matchMedia('(prefers-color-scheme: dark)');
    this.chosen = null;
    this.system.addEventListener('change', () => this.apply());
    button.addEventListener('click', () => {
      this.chosen = this.isDark() ? 'light' : 'dark';
      this.apply();
    });
    this.name();
  }

  isDark() {
    return this.chosen ? this.chosen === 'dark' : this.system.matches;
  }

  name() {
    this.button.textContent = this.isDark() ? 'Light colours' : 'Dark colours';
  }

  apply() {
    document.documentElement.style.colorScheme = this.chosen ?? '';
    this.name();
    this.onChange();
  }
}
