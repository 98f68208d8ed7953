// Sets the theme that was chosen on an earlier visit before anything is painted, hence no module. Without a choice the
// page follows the system. The button #theme-button turns the theme over and remembers it.
(() => {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (root.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';
  try {
    const chosen = localStorage.getItem('hubbub.theme');
    if (chosen === 'dark' || chosen === 'light') root.dataset.theme = chosen;
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
  const show = () => {
    for (const button of document.querySelectorAll('[data-theme-button]')) {
      button.setAttribute('aria-pressed', String(isDark()));
    }
  };
  document.addEventListener('DOMContentLoaded', () => {
    for (const button of document.querySelectorAll('[data-theme-button]')) {
      button.addEventListener('click', () => {
        root.dataset.theme = isDark() ? 'light' : 'dark';
        try {
          localStorage.setItem('hubbub.theme', root.dataset.theme);
        } catch {
          // As above.
        }
        show();
      });
    }
    system.addEventListener('change', show);
    show();
  });
})();
