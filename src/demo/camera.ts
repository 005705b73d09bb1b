// The visitor's camera as a stream of pictures: one at a time, the next when the last was dealt with.
// In: what to do with each frame. Out: a promise that settles when the camera stops. The signal stops it,
// and the camera's light goes out whatever happens.

export async function watchCamera(show: (frame: ImageBitmap) => Promise<void>, signal: AbortSignal): Promise<void> {
  if (!navigator.mediaDevices) {
    throw new Error('The camera needs a secure page: open this one over https or on localhost.');
  }
  const stream = await navigator.mediaDevices
    .getUserMedia({ video: { facingMode: 'environment', width: { ideal: 640 } } })
    .catch((cause) => {
      throw new Error('No camera: there is none, or this page may not use it. Check the browser’s permission.', {
        cause,
      });
    });
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  try {
    await video.play();
    while (!signal.aborted) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) continue;
      const frame = await createImageBitmap(video);
      await show(frame).finally(() => frame.close());
    }
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}
