// Keeps the work in this browser (IndexedDB), so that neither a reload nor a restarted server loses a picture. Pictures
// are written once each, the list of classes at every change. Only one tab keeps its work; a second one has its own, in
// memory. Where the browser allows no storage (private windows), everything works but for the reload.

const NAME = 'handwriter-teach', PICTURES = 'pictures', LIST = 'list';

export class Store {
  static async open() {
    const store = new Store();
    store.mine = await alone();
    store.database = store.mine ? await database().catch(() => null) : null;
    store.written = new Set();
    return store;
  }

  // What was kept: {kind, session, classes: [{key, id, name, samples: [{key, id, burst, file}]}]}, or null.
  async read() {
    if (!this.database) return null;
    const list = await this.ask(LIST, 'readonly', (store) => store.get('work'));
    const pictures = await this.ask(PICTURES, 'readonly', (store) => store.getAll());
    const files = new Map((pictures ?? []).map((one) => [one.key, one.file]));
    this.written = new Set(files.keys());
    for (const one of list?.classes ?? []) one.samples = one.samples.filter((sample) => (sample.file = files.get(sample.key)));
    return list ?? null;
  }

  write(work) {
    this.work = work;
    this.timer ??= setTimeout(() => this.flush(), 250);
  }

  async flush() {
    this.timer = undefined;
    if (!this.database) return;
    const { kind, session, classes } = this.work;
    const held = classes.flatMap((one) => one.samples);
    const fresh = held.filter((sample) => !this.written.has(sample.key));
    const kept = new Set(held.map((sample) => sample.key));
    const gone = [...this.written].filter((key) => !kept.has(key));
    this.written = kept;
    const list = classes.map(({ key, id, name, samples }) => ({ key, id, name, samples: samples.map((s) => ({ key: s.key, id: s.id, burst: s.burst })) }));
    await this.ask(PICTURES, 'readwrite', (store) => {
      for (const { key, file } of fresh) store.put({ key, file });
      for (const key of gone) store.delete(key);
    });
    await this.ask(LIST, 'readwrite', (store) => store.put({ kind, session, classes: list }, 'work'));
  }

  ask(name, mode, act) {
    return new Promise((resolve) => {
      const transaction = this.database.transaction(name, mode);
      const request = act(transaction.objectStore(name));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onerror = transaction.onabort = () => resolve(undefined); // a full disk: the page itself has everything
    });
  }
}

function database() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(PICTURES, { keyPath: 'key' });
      request.result.createObjectStore(LIST);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
}

// Whether no other tab has this work open. The lock is let go when the tab closes.
function alone() {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    navigator.locks.request(NAME, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {});
    }).catch(() => resolve(true));
  });
}
