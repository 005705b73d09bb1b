// The operators that nothing can be learnt through, and why: for the test of all gradients, which a new operator cannot
// escape, and for the page that lists the operators.

const each = (reason: string, ...names: string[]) => names.map((name) => [name, reason] as const);

/** What has no derivative, and why. A new operator has one, or comes here. */
export const without: ReadonlyMap<string, string> = new Map([
  ...each('goes through a state step by step; its backward pass has no kernel', 'LinearAttention'),
  ...each('finds regions of images, which detectors train without', 'MaxRoiPool', 'RoiAlign'),
  ...each('samples at places that are computed; its backward pass has no kernel', 'DeformConv', 'lepton.DeformColumns'),
  ...each('its derivative takes an inverse matrix, which no operator computes', 'Det'),
  ...each('takes weights that were quantised to run, not to learn', 'com.microsoft.GatherBlockQuantized'),
  ...each('overwrites a variable', 'lepton.Assign'),
  ...each(
    'is part of a backward pass, which is not differentiated again',
    'lepton.ConvWeightGradient',
    'lepton.MaxPoolGradient',
    'lepton.SumPoolGradient',
    'lepton.NormalizationGradient',
    'lepton.SoftmaxGradient',
    'lepton.RecurrenceGradient',
  ),
]);

/** What nothing is to be learnt through, so that it is not checked. */
export const unchecked: ReadonlyMap<string, string> = new Map([
  ...each(
    'computes with integers, so that only scales have a derivative',
    'com.microsoft.MatMulIntegerToFloat',
    'com.microsoft.DynamicQuantizeMatMul',
    'com.microsoft.QGemm',
    'QLinearMatMul',
    'DynamicQuantizeLinear',
  ),
  ...each('reads floats as other bits', 'BitCast'),
  ...each('has none at the numbers that it replaces, which are all its cases', 'ai.onnx.ml.Imputer'),
  ...each(
    'is the step of an optimiser',
    'ai.onnx.preview.training.Adagrad',
    'ai.onnx.preview.training.Adam',
    'ai.onnx.preview.training.Momentum',
    'lepton.SGD',
    'lepton.RMSprop',
    'lepton.Adagrad',
    'lepton.Adam',
    'lepton.AdamW',
  ),
]);
