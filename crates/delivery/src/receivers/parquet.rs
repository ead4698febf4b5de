//! Parquet files, each there whole or not at all, for DuckDB, Athena, Spark, Trino and their like.
//!
//! What the columns are and how rows are gathered is for the program that has them. Points in time are columns of
//! microseconds in UTC, which all engines take: Spark refuses nanoseconds, DuckDB rounds them.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use ::parquet::{
    basic::Compression,
    data_type::{BoolType, ByteArrayType, DataType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        reader::{FileReader as _, SerializedFileReader},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};
use private_folder::{look, make_private};
use rustix::fs::{Access, access};

use super::file::nearest;

pub use ::parquet::{data_type::ByteArray, errors::ParquetError as Error};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Number,
    Text,
    Numbers,
    Texts,
    /// Microseconds since the Unix epoch, UTC.
    Time,
}

/// A column by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    pub name: &'a str,
    pub kind: Kind,
    /// Whether each row has a value.
    pub required: bool,
}

/// Takes the values of the columns, one column behind the other, each as the schema has it.
pub struct Rows<'a, W: Write> {
    group: SerializedRowGroupWriter<'a, W>,
    columns: std::slice::Iter<'a, Column<'a>>,
}

/// Writes a file of these columns, whose values `fill` gives. `writer` is what readers are told that made it.
///
/// # Errors
/// Those of the file, or values that do not fit the schema.
pub fn write<W: Write + Send>(
    out: W,
    name: &str,
    writer: &str,
    columns: &[Column<'_>],
    fill: impl FnOnce(&mut Rows<'_, W>) -> Result<(), ParquetError>,
) -> io::Result<()> {
    write_all(out, name, writer, columns, fill).map_err(io::Error::other)
}

fn write_all<W: Write + Send>(
    out: W,
    name: &str,
    writer: &str,
    columns: &[Column<'_>],
    fill: impl FnOnce(&mut Rows<'_, W>) -> Result<(), ParquetError>,
) -> Result<(), ParquetError> {
    let schema = Arc::new(parse_message_type(&schema(name, columns))?);
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_created_by(writer.to_owned()).build();
    let mut writer = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    {
        let mut rows = Rows { group: writer.next_row_group()?, columns: columns.iter() };
        fill(&mut rows)?;
        rows.group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn schema(name: &str, columns: &[Column<'_>]) -> String {
    let mut text = format!("message {name} {{\n");
    for Column { name, kind, required } in columns {
        let (there, of) = match kind {
            Kind::Bool => ("BOOLEAN", ""),
            Kind::Number => ("INT64", ""),
            Kind::Text => ("BINARY", " (STRING)"),
            Kind::Time => ("INT64", " (TIMESTAMP(MICROS,true))"),
            Kind::Numbers => {
                text += &list(name, "REQUIRED INT64 element");
                continue;
            }
            Kind::Texts => {
                text += &list(name, "REQUIRED BINARY element (STRING)");
                continue;
            }
        };
        let must = if *required { "REQUIRED" } else { "OPTIONAL" };
        text += &format!("{must} {there} {name}{of};\n");
    }
    text + "}\n"
}

fn list(name: &str, element: &str) -> String {
    format!("OPTIONAL group {name} (LIST) {{ REPEATED group list {{ {element}; }} }}\n")
}

impl<W: Write + Send> Rows<'_, W> {
    /// The next column, of [`Kind::Bool`].
    ///
    /// # Errors
    /// Those of the file.
    pub fn bools(&mut self, values: impl Iterator<Item = Option<bool>>) -> Result<(), ParquetError> {
        self.put::<BoolType>(values)
    }

    /// The next column, of [`Kind::Number`] or [`Kind::Time`].
    ///
    /// # Errors
    /// Those of the file.
    pub fn numbers(&mut self, values: impl Iterator<Item = Option<i64>>) -> Result<(), ParquetError> {
        self.put::<Int64Type>(values)
    }

    /// The next column, of [`Kind::Text`].
    ///
    /// # Errors
    /// Those of the file.
    pub fn texts(&mut self, values: impl Iterator<Item = Option<ByteArray>>) -> Result<(), ParquetError> {
        self.put::<ByteArrayType>(values)
    }

    /// The next column, of [`Kind::Numbers`].
    ///
    /// # Errors
    /// Those of the file.
    pub fn lists_of_numbers(&mut self, values: impl Iterator<Item = Option<Vec<i64>>>) -> Result<(), ParquetError> {
        self.put_lists::<Int64Type>(values)
    }

    /// The next column, of [`Kind::Texts`].
    ///
    /// # Errors
    /// Those of the file.
    pub fn lists_of_texts(&mut self, values: impl Iterator<Item = Option<Vec<ByteArray>>>) -> Result<(), ParquetError> {
        self.put_lists::<ByteArrayType>(values)
    }

    /// Values, and for each row whether there is one. A required column has them all.
    fn put<T: DataType>(&mut self, values: impl Iterator<Item = Option<T::T>>) -> Result<(), ParquetError> {
        let (mut taken, mut levels) = (Vec::new(), Vec::new());
        for value in values {
            levels.push(i16::from(value.is_some()));
            taken.extend(value);
        }
        let required = self.columns.next().is_some_and(|column| column.required);
        if required && taken.len() < levels.len() {
            return Err(ParquetError::General("a required column lacks a value".to_owned()));
        }
        self.column::<T>(&taken, (!required).then_some(&levels), None)
    }

    /// The elements of all lists; for each, or for a row without one, whether there is a list (1) and an element (2), and
    /// whether it is of the same row as the one before (1).
    fn put_lists<T: DataType>(&mut self, values: impl Iterator<Item = Option<Vec<T::T>>>) -> Result<(), ParquetError> {
        let (mut taken, mut levels, mut repeats) = (Vec::new(), Vec::new(), Vec::new());
        for list in values {
            let is_there = i16::from(list.is_some());
            let list = list.unwrap_or_default();
            if list.is_empty() {
                levels.push(is_there);
                repeats.push(0);
            }
            for (number, element) in list.into_iter().enumerate() {
                taken.push(element);
                levels.push(2);
                repeats.push(i16::from(number > 0));
            }
        }
        self.columns.next();
        self.column::<T>(&taken, Some(&levels), Some(&repeats))
    }

    fn column<T: DataType>(
        &mut self,
        values: &[T::T],
        levels: Option<&Vec<i16>>,
        repeats: Option<&Vec<i16>>,
    ) -> Result<(), ParquetError> {
        let none = || ParquetError::General("there is no such column".to_owned());
        let mut column = self.group.next_column()?.ok_or_else(none)?;
        let (levels, repeats) = (levels.map(Vec::as_slice), repeats.map(Vec::as_slice));
        column.typed::<T>().write_batch(values, levels, repeats)?;
        column.close()
    }
}

/// Makes a file that is there whole or not at all, and on the disk once this returns. One of the same name is replaced.
///
/// # Errors
/// Those of the folder and of `write`.
pub fn put_whole(folder: &Path, name: &str, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    make_private(folder)?;
    // Readers pass over names that begin with a dot.
    let mut file = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder)?;
    write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name)).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Looks whether the folder could be made, or is one that nobody else writes to, and changes nothing.
///
/// # Errors
/// Why not.
pub fn check(folder: &Path) -> io::Result<()> {
    let there = nearest(folder)?;
    if there == folder {
        look(there)?;
    }
    Ok(access(there, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Rows of a file; none if it is no Parquet file.
#[must_use]
pub fn rows_in(path: &Path) -> Option<u64> {
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    u64::try_from(reader.metadata().file_metadata().num_rows()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column<'_>] = &[
        Column { name: "time", kind: Kind::Time, required: true },
        Column { name: "word", kind: Kind::Text, required: false },
        Column { name: "words", kind: Kind::Texts, required: false },
    ];

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a/b");
        let fill = |file: &mut File| {
            write(file, "rows", "tests", COLUMNS, |rows| {
                rows.numbers([Some(1), Some(2)].into_iter())?;
                rows.texts([None, Some("b".into())].into_iter())?;
                rows.lists_of_texts([Some(vec![]), Some(vec!["x".into(), "y".into()])].into_iter())
            })
        };
        put_whole(&below, "x.parquet", fill).unwrap();
        assert_eq!(rows_in(&below.join("x.parquet")), Some(2));
        let failed = put_whole(&below, "y.parquet", |file| {
            fill(file)?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read_dir(&below).unwrap().count(), 1);
    }
    #[test]
    fn a_required_column_without_a_value_is_told() {
        let lacks = |rows: &mut Rows<'_, _>| rows.numbers([Some(1), None].into_iter());
        assert!(write(Vec::new(), "rows", "tests", &COLUMNS[..1], lacks).is_err());
        assert!(write(Vec::new(), "rows", "tests", &[], |rows| rows.numbers([].into_iter())).is_err());
    }
}
