// The client library of the chat page. It is an ES module in a folder without package.json, which Node.js 18 does not take as
// one when it is imported by its path.
import {readFileSync} from 'node:fs';

const source = readFileSync(new URL('../../gateway/web/hubbub-client.js', import.meta.url), 'utf8');
export const {HubbubClient, HubbubError} = await import(`data:text/javascript,${encodeURIComponent(source)}`);
