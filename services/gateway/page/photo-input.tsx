// Where a photo comes in: by file, drop, paste, camera or example. Knows no server.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Examples } from './examples.tsx';
import { fileIn, type Photo } from './photo.ts';
import { Webcam } from './webcam.tsx';

const ACCEPTED = 'image/jpeg,image/png,image/webp,image/avif,image/tiff,image/gif';

interface PhotoInputProps {
  photo: Photo | undefined;
  onPhoto: (blob: Blob, name?: string) => void;
}

/** The photo, or the invitation to bring one. Drops and pastes anywhere on the page count. */
export function PhotoInput({ photo, onPhoto }: PhotoInputProps) {
  const picker = useRef<HTMLInputElement>(null);
  const [camera, setCamera] = useState(false);
  const over = useDropAndPaste(onPhoto);
  return (
    <section class="card photo" aria-labelledby="photo-title" data-over={over}>
      <h2 id="photo-title">Photo</h2>
      {photo ? <Shown photo={photo} /> : <Invitation />}
      <div class="row">
        <button type="button" class={photo ? '' : 'primary'} onClick={() => picker.current?.click()}>
          {photo ? 'Another photo' : 'Choose a photo'}
        </button>
        <button
          type="button"
          onClick={() => {
            setCamera(true);
          }}
        >
          Camera
        </button>
        <input
          ref={picker}
          type="file"
          accept={ACCEPTED}
          hidden
          aria-label="Photo file"
          onChange={({ currentTarget }) => {
            const [file] = currentTarget.files ?? [];
            if (file) onPhoto(file);
            currentTarget.value = '';
          }}
        />
      </div>
      {photo ? (
        <details>
          <summary>Example photos</summary>
          <Examples onPhoto={onPhoto} />
        </details>
      ) : (
        <Examples onPhoto={onPhoto} />
      )}
      {camera && (
        <Webcam
          onPhoto={onPhoto}
          onClose={() => {
            setCamera(false);
          }}
        />
      )}
    </section>
  );
}

function Invitation() {
  return (
    <div class="invitation">
      <svg viewBox="0 0 48 48" width="48" height="48" aria-hidden="true">
        <rect x="5" y="9" width="38" height="30" rx="4" />
        <circle cx="16" cy="19" r="3.5" />
        <path d="M6 35l12-11 8 7 6-5 10 9" />
      </svg>
      <p>Drop a photo here, or paste one</p>
      <p class="hint">
        JPEG, PNG, WebP, AVIF, TIFF or GIF. It is sent to this server alone, and kept nowhere.
      </p>
    </div>
  );
}

function Shown({ photo }: { photo: Photo }) {
  const { name, url, width, height, blob } = photo;
  const bytes = `${(blob.size / 1000).toLocaleString('en', { maximumFractionDigits: blob.size < 1e5 ? 1 : 0 })} kB`;
  return (
    <figure>
      <div class="frame">
        {width > 0 ? (
          <img src={url} alt="The chosen photo" width={width} height={height} />
        ) : (
          <p class="hint">The browser cannot show this file.</p>
        )}
      </div>
      <figcaption>
        <span class="name">{name}</span>
        <span class="hint">
          {width > 0 && `${String(width)} × ${String(height)}, `}
          {bytes}
        </span>
      </figcaption>
    </figure>
  );
}

function useDropAndPaste(onPhoto: PhotoInputProps['onPhoto']): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const events = new AbortController();
    const on = <Name extends keyof DocumentEventMap>(
      name: Name,
      does: (event: DocumentEventMap[Name]) => void,
    ) => {
      document.addEventListener(name, does, { signal: events.signal });
    };
    on('dragover', (event) => {
      event.preventDefault();
      setOver(true);
    });
    on('dragleave', ({ relatedTarget }) => {
      if (!relatedTarget) setOver(false);
    });
    on('drop', (event) => {
      event.preventDefault();
      setOver(false);
      const file = fileIn(event.dataTransfer);
      if (file) onPhoto(file);
    });
    on('paste', ({ clipboardData }) => {
      const file = fileIn(clipboardData);
      if (file) onPhoto(file);
    });
    return () => {
      events.abort();
    };
  }, [onPhoto]);
  return over;
}
