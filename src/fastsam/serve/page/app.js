// The page. state.js has what it knows, engine.js whom it asks; each module beside them has one subject.

import './photos.js';
import './objectlist.js';
import './kinds.js';
import './pointer.js';
import './keys.js';
import './panel.js';
import './save.js';
import './exchange.js';
import './incoming.js';
import './film.js';
