// The three ways in as tabs: one is open, arrow keys go from one to the next.

export class Tabs {
  constructor(root, opened) {
    this.tabs = [...root.querySelectorAll('[role=tab]')];
    this.opened = opened;
    this.current = 'draw';
    for (const tab of this.tabs) {
      tab.addEventListener('click', () => this.open(way(tab)));
      tab.addEventListener('keydown', (event) => this.key(event));
    }
    this.root = root;
  }

  // Whether a way can be chosen at all.
  offer(name, offered) {
    this.root.querySelector(`#tab-${name}`).hidden = !offered;
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

  key(event) {
    const offered = this.tabs.filter((tab) => !tab.hidden);
    const index = offered.findIndex((tab) => tab.contains(event.target));
    const steps = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: offered.length - 1 };
    if (!(event.key in steps)) return;
    const next = offered.at(steps[event.key] % offered.length);
    next.focus();
    this.open(way(next));
    event.preventDefault();
  }
}

const way = (tab) => tab.id.replace('tab-', '');
