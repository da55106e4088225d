import GRDB
import GRDBSQLite

extension CatalogError {
    /// Translates an error of a database operation; the message names `path`.
    init(_ error: any Error, path: String) {
        switch error {
        case let error as CatalogError: self = error
        case let error as DamagedColumn: self.init(.damaged, "\(path): \(error)")
        case let error as DatabaseError:
            self.init(
                resultCode: error.extendedResultCode.rawValue, message: error.message ?? "no message", path: path)
        default: self.init(.failed, "\(path): \(error)")
        }
    }

    /// Translates an extended SQLite result code.
    init(resultCode: Int32, message: String, path: String) {
        let code = ResultCode(rawValue: resultCode)
        switch code.primaryResultCode {
        case .SQLITE_FULL:
            self.init(.cannotWrite, "\(path): the disk is full; free some space and run again")
        case .SQLITE_READONLY where code == .SQLITE_READONLY_ROLLBACK || code == .SQLITE_READONLY_RECOVERY:
            self.init(
                .refused,
                "\(path): its last writer was stopped in the middle of a change, which readers cannot undo; have "
                    + "'routesae migrate \(path)' run by someone who may write it")
        case .SQLITE_READONLY:
            self.init(.cannotWrite, "\(path): the file cannot be written (\(message))")
        case .SQLITE_IOERR where code == .SQLITE_IOERR_READ || code == .SQLITE_IOERR_SHORT_READ:
            self.init(.damaged, "\(path): the file cannot be read (\(message))")
        case .SQLITE_IOERR where code == .SQLITE_IOERR_GETTEMPPATH:
            self.init(
                .cannotWrite,
                "\(path): no folder for temporary files can be written; set TMPDIR to one that can")
        case .SQLITE_IOERR:
            self.init(.cannotWrite, "\(path): the disk reports an error (\(message), code \(resultCode))")
        case .SQLITE_CANTOPEN:
            self.init(.cannotWrite, "\(path): \(SQLiteName.reasonNotOpened(path))")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.busy, "\(path): \(LockHolders(of: path).sentence); try again when it is done")
        case .SQLITE_NOMEM:
            // Either the machine has no more, or the program that reads allows no more.
            let isLimited = sqlite3_hard_heap_limit64(-1) > 0
            self.init(
                isLimited ? .refused : .failed,
                isLimited ? "\(path): the question takes too much memory" : "\(path): SQLite gets no more memory")
        case .SQLITE_CORRUPT:
            self.init(.damaged, "\(path): the file is damaged (\(message))")
        case .SQLITE_NOTADB:
            self.init(.notACatalog, "\(path): not a SQLite database")
        case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG:
            self.init(.invalidValue, "\(path): \(message)")
        case .SQLITE_INTERRUPT:
            self.init(.timedOut, "\(path): interrupted")
        case .SQLITE_AUTH, .SQLITE_PERM:
            self.init(.refused, "\(path): \(message)")
        case .SQLITE_ERROR, .SQLITE_RANGE:
            self.init(.invalidSQL, "\(path): \(message)")
        default:
            self.init(.failed, "\(path): \(message) (SQLite code \(resultCode))")
        }
    }
}
