//! A sheet of rows, read one by one: CSV with comma, semicolon or tab, or the first sheet of an XLSX file. Never more than one
//! row in memory.
use calamine::{DataRef, Reader as _, Xlsx};
use model::sentence::Sentence;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _};
use std::path::Path;

/// First bytes of a ZIP archive, which an XLSX file is.
const ZIP: [u8; 4] = *b"PK\x03\x04";
/// Most columns read of a row.
const COLUMNS_MAX: usize = 100;
/// Longest beginning looked at for the separator.
const LINE_MAX: u64 = 64 << 10;

/// Takes the rows in order: the number of the row in the file, from 1, and its cells.
pub(super) type Take<'a, E> = &'a mut dyn FnMut(u64, Vec<String>) -> Result<(), E>;

/// Reads a file to its end, or until `take` refuses. `wrong` makes the error of a file that cannot be read.
pub(super) fn each_row<E>(path: &Path, wrong: &dyn Fn(Sentence) -> E, take: Take<'_, E>) -> Result<(), E> {
    let unreadable = |e: std::io::Error| {
        wrong(Sentence::new(format!("The file cannot be read: {e}."), format!("无法读取该文件：{e}。")))
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut first = [0; 4];
    let read = file.read(&mut first).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    if read == 4 && first == ZIP {
        return xlsx(file, wrong, take);
    }
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line).map_err(unreadable)?;
    let count = |separator: u8| line.iter().filter(|b| **b == separator).count();
    let separator = [b',', b';', b'\t'].into_iter().max_by_key(|s| count(*s)).unwrap_or(b',');
    reader.rewind().map_err(unreadable)?;
    let no_csv = |e: csv::Error| {
        wrong(Sentence::new(
            format!("The file is no CSV file: {e}; save it as CSV or XLSX."),
            format!("该文件不是 CSV 文件：{e}；请另存为 CSV 或 XLSX。"),
        ))
    };
    let mut csv = csv::ReaderBuilder::new();
    let mut rows = csv.delimiter(separator).has_headers(false).flexible(true).from_reader(reader);
    let mut record = csv::ByteRecord::new();
    let mut number = 0;
    loop {
        let more = rows.read_byte_record(&mut record);
        if !more.map_err(no_csv)? {
            return Ok(());
        }
        number = record.position().map_or(number + 1, csv::Position::line);
        let cells = record.iter().take(COLUMNS_MAX);
        let text =
            |cell: &[u8]| String::from_utf8_lossy(cell).trim_start_matches('\u{feff}').trim().to_owned();
        take(number, cells.map(text).collect())?;
    }
}

fn xlsx<E>(file: File, wrong: &dyn Fn(Sentence) -> E, take: Take<'_, E>) -> Result<(), E> {
    let broken = |e: calamine::XlsxError| {
        wrong(Sentence::new(
            format!("The file is no sheet that can be read: {e}; save it as CSV or XLSX."),
            format!("无法读取该表格文件：{e}；请另存为 CSV 或 XLSX。"),
        ))
    };
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(broken)?;
    let names = book.sheet_names();
    let name = names
        .first()
        .ok_or_else(|| wrong(Sentence::new("The file has no sheet.", "该文件中没有工作表。")))?;
    let mut cells = book.worksheet_cells_reader(name).map_err(broken)?;
    let (mut row, mut gathered): (u32, Vec<String>) = (0, Vec::new());
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (at, column) = cell.get_position();
        if at != row && !gathered.is_empty() {
            take(u64::from(row) + 1, std::mem::take(&mut gathered))?;
        }
        row = at;
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column < COLUMNS_MAX {
            gathered.resize(gathered.len().max(column + 1), String::new());
            gathered[column] = text(cell.get_value());
        }
    }
    if gathered.is_empty() { Ok(()) } else { take(u64::from(row) + 1, gathered) }
}

/// A cell as a person sees it; a telephone number typed as a number has no decimal point.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Float(x) if x.fract() == 0.0 && x.abs() < 1e16 => format!("{x:.0}"),
        DataRef::Float(x) => x.to_string(),
        DataRef::Int(x) => x.to_string(),
        DataRef::String(s) => s.trim().to_owned(),
        DataRef::SharedString(s) => s.trim().to_owned(),
        DataRef::Bool(b) => b.to_string(),
        DataRef::DateTime(d) => d.to_string(),
        DataRef::DateTimeIso(s) | DataRef::DurationIso(s) => s.clone(),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}
