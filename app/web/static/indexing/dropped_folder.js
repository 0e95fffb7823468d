// A folder dropped on the page. Browsers tell its name, its files and their sizes, but not where it is: the server looks
// for a folder with these.

import { element } from '../core/dom.js';

const MOST_FILES = 20; // sent, to tell the folder from others of its name
const MOST_ENTRIES = 400; // looked at
const MOST_DEPTH = 3;

/** @typedef {{name: string, files: {path: string[], size: number}[]}} DroppedFolder */

/** Shows where to drop while files are dragged over the page, and reports what was dropped. */
export class FolderDrop {
  /**
   * @param {HTMLElement} parent
   * @param {(folder: DroppedFolder | null) => void} dropped Called with the first folder; null where there was none.
   */
  constructor(parent, dropped) {
    this.depth = 0; // of elements that were entered and not left
    this.veil = element(
      'div',
      { class: 'ps-veil', hidden: true },
      element('p', { text: 'Drop a folder of videos to index it' }),
    );
    parent.append(this.veil);
    this.listening = new AbortController();
    const { signal } = this.listening;
    document.addEventListener('dragenter', (event) => this.drag(event, 1), { signal });
    document.addEventListener('dragleave', (event) => this.drag(event, -1), { signal });
    document.addEventListener('dragover', (event) => bringsFiles(event) && event.preventDefault(), { signal });
    document.addEventListener(
      'drop',
      (event) => {
        if (!bringsFiles(event)) return;
        event.preventDefault();
        this.depth = 0;
        this.veil.hidden = true;
        const entries = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry());
        const folder = entries.find((entry) => entry?.isDirectory);
        if (!folder) dropped(null);
        else void readFolder(/** @type {FileSystemDirectoryEntry} */ (folder)).then(dropped);
      },
      { signal },
    );
  }

  /**
   * @param {DragEvent} event
   * @param {number} by
   */
  drag(event, by) {
    if (!bringsFiles(event)) return;
    this.depth = Math.max(0, this.depth + by);
    this.veil.hidden = this.depth === 0;
  }

  remove() {
    this.listening.abort();
    this.veil.remove();
  }
}

/** @param {DragEvent} event */
function bringsFiles({ dataTransfer }) {
  return dataTransfer?.types.includes('Files') ?? false;
}

/**
 * Read the names and sizes of some files of a folder: its own first, then those of folders in it.
 *
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<DroppedFolder>}
 */
export async function readFolder(folder) {
  /** @type {DroppedFolder['files']} */
  const files = [];
  /** @type {{entry: FileSystemDirectoryEntry, path: string[]}[]} */
  let level = [{ entry: folder, path: [] }];
  let left = MOST_ENTRIES;
  for (let depth = 0; depth < MOST_DEPTH && level.length && files.length < MOST_FILES; depth += 1) {
    const below = [];
    for (const { entry, path } of level) {
      for (const each of await entriesOf(entry, left)) {
        left -= 1;
        if (each.name.startsWith('.')) continue;
        if (each.isDirectory)
          below.push({ entry: /** @type {FileSystemDirectoryEntry} */ (each), path: [...path, each.name] });
        else if (files.length < MOST_FILES) {
          const size = await sizeOf(/** @type {FileSystemFileEntry} */ (each));
          if (size !== null) files.push({ path: [...path, each.name], size });
        }
      }
    }
    level = below;
  }
  return { name: folder.name, files };
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @param {number} most
 * @returns {Promise<FileSystemEntry[]>} Empty where it cannot be read.
 */
async function entriesOf(folder, most) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  while (entries.length < most) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((done) => reader.readEntries(done, () => done([]))); // at most 100 at a time
    if (!some.length) break;
    entries.push(...some);
  }
  return entries.slice(0, Math.max(0, most));
}

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<number | null>}
 */
function sizeOf(entry) {
  return new Promise((done) =>
    entry.file(
      (file) => done(file.size),
      () => done(null),
    ),
  );
}
