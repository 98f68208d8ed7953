// The box "Connect a client of your own": one program at a time, to look at and to copy.
import {samplesFor} from './samples.js';

export function showConnectBox({kind, code, copy}) {
  const samples = samplesFor(new URL(location.href));
  for (const [i, {name}] of samples.entries()) kind.add(new Option(name, i));
  const show = () => {
    code.textContent = samples[kind.value].code;
    copy.textContent = 'Copy';
  };
  kind.addEventListener('change', show);
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      copy.textContent = 'Copied';
    } catch {
      // Pages by plain http from another machine may not: then the text is selected, to be copied by hand.
      getSelection().selectAllChildren(code);
      copy.textContent = 'Selected: press Ctrl+C';
    }
  });
  show();
}
