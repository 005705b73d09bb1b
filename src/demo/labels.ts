// Names of classes. Short lists are here; long ones come from the test data that the development server
// offers, and where they are missing the page shows class numbers.

const lists = {
  digits: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  cifar: ['plane', 'car', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
} as const;

const files = {
  coco: 'shared/models/yolox-nano/coco_classes.txt',
  imagenet: 'shared/images/labels/imagenet_classes.txt',
} as const;

export type LabelSet = keyof typeof lists | keyof typeof files;

export async function labels(set: LabelSet): Promise<readonly string[]> {
  if (set in lists) return lists[set as keyof typeof lists];
  if (!import.meta.env.DEV) return [];
  const response = await fetch(`${import.meta.env.BASE_URL}${files[set as keyof typeof files]}`);
  const text = response.ok ? await response.text() : '';
  // A server that answers everything with its start page has no such list.
  if (text.trimStart().startsWith('<')) return [];
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}
