/**
 * What the terminal would write into `<style>` elements, which the page's policy forbids, becomes a
 * style sheet of the document. `vendor/xterm.js` makes these elements in their place.
 */
class TerminalSheet extends HTMLElement {
  constructor() {
    super();
    this.sheet = new CSSStyleSheet();
  }

  connectedCallback() {
    document.adoptedStyleSheets.push(this.sheet);
  }

  disconnectedCallback() {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.sheet);
  }

  /** @override */
  get textContent() {
    return '';
  }

  set textContent(text) {
    this.sheet.replaceSync(text ?? '');
  }
}

if (!customElements.get('car-style')) customElements.define('car-style', TerminalSheet);
