// Lets drivers import packages that are installed elsewhere: what is not found from the driver is looked for from
// the folder that run.mjs names.

let base;

export function initialize(data) {
  base = data.base;
}

export async function resolve(specifier, context, next) {
  const bare = /^[@a-z]/i.test(specifier) && !specifier.startsWith('node:');
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!bare || error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return next(specifier, { ...context, parentURL: base });
  }
}
