//! Resolved query to rows: the only door to DataFusion.
//!
//! [`Engine`] runs the plain SQL of a resolved query over one snapshot, in a session that can reach nothing else: no file,
//! no definition, no clock. What a text means is `language`'s; who is in the segments that a query names, what its
//! variables are, and as of when, its caller says in an [`Evaluation`].

mod evaluation;
pub use evaluation::{Computed, Content, Evaluation, Values};

mod masks;
pub use masks::Masks;

mod engine;
pub use engine::{Answer, Back, Engine, Limits};

mod running;
pub use running::Running;

mod patience;
pub use patience::{Stopper, Watch};

mod error;
pub use error::Error;

mod session;

mod kernel;
pub use kernel::EachProfile;

mod interrupt;

mod growth;

mod footprint;

mod size;

mod sum;

mod mode;

mod sha256;

mod bucket;

mod calendar;

mod meaning;

mod rounding;

mod doubles;

mod table;

mod top;
