// The three ways in as tabs: one is open, arrow keys go from one to the next.

export class Tabs {
  constructor(root, opened) {
    this.tabs = [...root.querySelectorAll('[role=tab]')];
    this.opened = opened;
    this.current = 'draw';
    for (const [index, tab] of this.tabs.entries()) {
      tab.addEventListener('click', () => this.open(way(tab)));
      tab.addEventListener('keydown', (event) => this.key(event, index));
    }
    this.root = root;
  }

  open(name) {
    if (name === this.current) return;
    this.current = name;
    for (const tab of this.tabs) {
      const chosen = way(tab) === name;
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      this.root.querySelector('#' + tab.getAttribute('aria-controls')).hidden = !chosen;
    }
    this.opened(name);
  }

  key(event, index) {
    const steps = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: this.tabs.length - 1 };
    if (!(event.key in steps)) return;
    const next = this.tabs.at(steps[event.key] % this.tabs.length);
    next.focus();
    this.open(way(next));
    event.preventDefault();
  }
}

const way = (tab) => tab.id.replace('tab-', '');
