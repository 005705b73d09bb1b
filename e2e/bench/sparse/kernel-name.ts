// What the tables call the kernel of a product or convolution.

/**
 * @param nodes of a plan, each with operator and kernel; besides the product some unpack its weights at load
 * @returns without the operator, unless that has weights of integers: their kernels are called like those of floats
 */
export function resultKernel(nodes: readonly string[]): string | undefined {
  const found = nodes.find((node) => /^(lepton\.)?(MatMul|Conv)/.test(node));
  return found?.replace(/^(lepton\.)?(MatMul|Conv): /, '').replace(/^lepton\./, '');
}
