// Which build of Lepton this is: what one has planned, another does not run. Undefined where the code is not built,
// as on a dev server: there nothing tells one state of it from the next.

export const build: string | undefined = import.meta.env.LEPTON_BUILD;
