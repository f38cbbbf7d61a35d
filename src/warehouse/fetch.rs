//! Objects that an engine fetches by itself: how they are named to it, and what it says of them.

/// How objects are named to an engine that fetches them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// Each by its name: there is a place for a list of them.
    Lists,
    /// By how their names begin, which others may do as well.
    Prefixes,
}

/// The objects of one order.
#[derive(Debug, Clone, Copy)]
pub enum Named<'a> {
    /// These URLs, each with its size in bytes.
    List(&'a [(&'a str, u64)]),
    /// Every object whose URL begins so.
    Prefix(&'a str),
}

/// How a record's values find their columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape<'a> {
    /// A key is the name of its column.
    Names,
    /// The same, in whatever case.
    NamesOfAnyCase,
    /// The paths in the object of this URL, one a column.
    Paths(&'a str),
}

/// How the objects are compressed, all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// As gzip has it.
    Gzip,
    /// As Zstandard has it.
    Zstandard,
}

/// What is to be fetched, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Fetch<'a> {
    /// The table.
    pub table: &'a str,
    /// Its columns that are filled, in the order of the paths where there are any.
    pub columns: &'a [String],
    /// How values find them.
    pub shape: Shape<'a>,
    /// The objects.
    pub named: Named<'a>,
    /// How they are compressed.
    pub packing: Packing,
    /// The region of the store that holds them.
    pub region: &'a str,
}

/// What an engine says that it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Rows that are in the table.
    pub rows: u64,
    /// Objects that were read.
    pub objects: u64,
    /// Records that are not in the table.
    pub refused: Vec<Refused>,
}

/// A record that an engine did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The URL of its object, of which an engine may know the beginning alone.
    pub object: String,
    /// Why, in its words.
    pub reason: String,
}
