// Searching by a file: a picture or a video, dropped anywhere on the page or chosen (file_button.js has the button).

import { element, setOverlayHome } from '../core/dom.js';
import { toast } from '../core/toast.js';

const MOST_BYTES = 1024 ** 3; // as the server: a larger file is refused before it is sent
/** Event on the document that opens the choice of a file. */
export const CHOOSE_FILE = 'prismsearch-choose-example';
const views = new WeakMap();

/**
 * Mount the view. Trigger: dropped {token, name, kind}.
 *
 * @param {import('../core/types.js').Component<null>} component
 * @returns {() => void} Removes the view.
 */
export function mount(component) {
  let view = views.get(component.parentElement);
  if (!view) {
    view = new FileDrop(component.parentElement);
    views.set(component.parentElement, view);
  }
  view.component = component;
  return () => {
    view.remove();
    views.delete(component.parentElement);
  };
}

class FileDrop {
  constructor(parent) {
    setOverlayHome(parent);
    this.input = element('input', {
      type: 'file',
      accept: 'image/*,video/*',
      hidden: true,
      onchange: () => this.take(this.input.files),
    });
    this.progress = element(
      'div',
      { class: 'ps-upload', hidden: true },
      element('span', {}),
      element('progress', { max: 1 }),
      element('button', { class: 'ps-link', type: 'button', text: 'Cancel', onclick: () => this.request?.abort() }),
    );
    this.veil = element(
      'div',
      { class: 'ps-veil', hidden: true },
      element('p', { text: 'Drop a picture or a clip to search by it' }),
    );
    parent.append(this.input, this.progress, this.veil);
    this.depth = 0;
    this.listeners = [
      ['dragenter', (event) => this.drag(event, 1)],
      ['dragleave', (event) => this.drag(event, -1)],
      ['dragover', (event) => hasFiles(event) && event.preventDefault()],
      ['drop', (event) => this.drop(event)],
      [CHOOSE_FILE, () => this.input.click()],
    ];
    for (const [name, run] of this.listeners) document.addEventListener(name, run);
  }

  drag(event, by) {
    if (!hasFiles(event)) return;
    this.depth = Math.max(0, this.depth + by);
    this.veil.hidden = this.depth === 0;
  }

  drop(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this.depth = 0;
    this.veil.hidden = true;
    this.take(event.dataTransfer.files);
  }

  take(files) {
    const [file, ...others] = files;
    if (!file) return;
    if (others.length) toast('One file at a time; the first one is taken');
    if (file.size > MOST_BYTES) {
      toast(
        `${file.name} is ${(file.size / 1024 ** 3).toFixed(1)} GB, and an example may have 1 GB. Cut out the part you mean, or index its folder and mark a range in the player.`,
        { kind: 'error' },
      );
      return;
    }
    if (file.size === 0) {
      toast(`${file.name} is empty`, { kind: 'error' });
      return;
    }
    this.send(file);
  }

  // XMLHttpRequest, because fetch does not report how much has been sent.
  send(file) {
    this.request?.abort();
    const request = new XMLHttpRequest();
    this.request = request;
    const [label, bar] = this.progress.children;
    label.textContent = file.name;
    bar.value = 0;
    this.progress.hidden = false;
    request.upload.addEventListener(
      'progress',
      (event) => event.lengthComputable && (bar.value = event.loaded / event.total),
    );
    request.addEventListener('loadend', () => {
      if (this.request !== request) return;
      this.progress.hidden = true;
      this.input.value = '';
      let answer = null;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        answer = null;
      }
      if (request.status >= 200 && request.status < 300 && answer)
        this.component.setTriggerValue('dropped', { ...answer, at: Date.now() });
      else if (request.status) toast(answer?.error ?? `The file was not taken (${request.status})`, { kind: 'error' });
      else if (!this.aborted) toast('The file could not be sent; is prismsearch still running?', { kind: 'error' });
      this.aborted = false;
    });
    request.addEventListener('abort', () => {
      this.aborted = true;
    });
    request.open('POST', '/api/examples');
    request.setRequestHeader('X-Prismsearch', '1');
    request.setRequestHeader('X-File-Name', encodeURIComponent(file.name));
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.send(file);
  }

  remove() {
    this.request?.abort();
    for (const [name, run] of this.listeners) document.removeEventListener(name, run);
    for (const part of [this.input, this.progress, this.veil]) part.remove();
  }
}

function hasFiles(event) {
  return event.dataTransfer?.types?.includes('Files') ?? false;
}
