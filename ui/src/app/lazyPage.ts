import { lazyRouteComponent } from "@tanstack/react-router";

/** The files of a page did not come: the server is away, or has those of another build. */
export class NotLoaded extends Error {
  override name = "NotLoaded";
}

/** Of an import: its files, or `NotLoaded`. */
export function files<M>(loading: Promise<M>): Promise<M> {
  return loading.catch((error: unknown) => {
    throw new NotLoaded("The files of this page could not be loaded.", { cause: error });
  });
}

/** A page in files of its own. What goes wrong with them is told by `PageError`. */
export function lazyPage<M extends Record<string, unknown>, K extends keyof M & string>(
  load: () => Promise<M>,
  name: K,
) {
  const loading = () => files(load()) as Promise<never>;
  return lazyRouteComponent(loading, name);
}
