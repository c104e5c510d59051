// The page. state.js has what it knows, engine.js whom it asks; each module beside them has one subject.

import './photo.js';
import './pointer.js';
import './panel.js';
import './save.js';
import './incoming.js';
