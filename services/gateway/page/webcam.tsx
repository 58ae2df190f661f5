// A camera and its shutter, in a dialog. The camera is on only while the dialog is open.

import { useEffect, useRef, useState } from 'preact/hooks';

interface WebcamProps {
  onPhoto: (blob: Blob, name: string) => void;
  onClose: () => void;
}

/** Takes one photo; the stream ends with the dialog. */
export function Webcam({ onPhoto, onClose }: WebcamProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [on, setOn] = useState(false);
  const [trouble, setTrouble] = useState('');

  useEffect(() => {
    dialog.current?.showModal();
    let stream: MediaStream | undefined;
    let closed = false;
    openCamera().then(
      (opened) => {
        stream = opened;
        if (closed || !video.current) stop(opened);
        else video.current.srcObject = opened;
      },
      (error: unknown) => {
        setTrouble(reasonOf(error));
      },
    );
    return () => {
      closed = true;
      if (stream) stop(stream);
    };
  }, []);

  const shoot = async () => {
    const source = video.current;
    if (!source) return;
    const canvas = new OffscreenCanvas(source.videoWidth, source.videoHeight);
    canvas.getContext('2d')?.drawImage(source, 0, 0);
    onPhoto(await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 }), 'camera.jpg');
    onClose();
  };

  return (
    <dialog ref={dialog} class="webcam" aria-labelledby="webcam-title" onClose={onClose}>
      <h2 id="webcam-title">Camera</h2>
      <div class="viewfinder">
        {trouble === '' ? (
          <video
            ref={video}
            autoplay
            playsInline
            muted
            aria-label="What the camera sees"
            onLoadedData={() => {
              setOn(true);
            }}
          />
        ) : (
          <p role="alert">{trouble}</p>
        )}
      </div>
      <div class="row">
        <button type="button" class="primary" disabled={!on} onClick={() => void shoot()}>
          Take the photo
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}

async function openCamera(): Promise<MediaStream> {
  // Browsers lend cameras to https and localhost alone.
  if (!isSecureContext) throw new Error('A camera can be used over https or on localhost only.');
  return await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'The camera cannot be used.';
  if (error.name === 'NotAllowedError') return 'The browser does not allow this page to use the camera.';
  if (error.name === 'NotFoundError') return 'There is no camera here.';
  return error.message;
}
