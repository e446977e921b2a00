// Lets the drivers beside this file import packages from where `cargo xtask deps` put them, which
// is not above them in the tree.
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const packages = `${pathToFileURL(process.env.RINGWALL_PACKAGES).href}/`;
const here = new URL('./', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const bare = !/^(\.|\/|[a-z]+:)/.test(specifier);
    const ours = context.parentURL?.startsWith(here);
    return next(specifier, bare && ours ? { ...context, parentURL: packages } : context);
  },
});
