import Foundation
import GRDB

extension Catalog {
    /// The largest request or reply that is kept, bytes.
    package static let maximumExchangeByteCount = 1 << 24

    /// Writes an exchange; an existing one stays as it is.
    ///
    /// - Throws: ``CatalogError`` `.invalidValue` for a request or a reply of more than
    ///   ``maximumExchangeByteCount``, or one too repetitive to be decompressed again.
    package func write(exchange: ExchangeRecord) throws(CatalogError) {
        guard max(exchange.request.count, exchange.reply.count) <= Self.maximumExchangeByteCount else {
            throw CatalogError(
                .invalidValue,
                "\(path): an exchange has \(max(exchange.request.count, exchange.reply.count)) bytes; allowed: "
                    + "\(Self.maximumExchangeByteCount)")
        }

        var frames: [Data] = []
        for bytes in [exchange.request, exchange.reply] {
            do { frames.append(Data(try Zstd.compress(bytes))) } catch {
                throw CatalogError(.invalidValue, "\(path): an exchange of \(error)")
            }
        }
        try write { [frames] database in
            try database.execute(
                sql: """
                    INSERT INTO exchange (sha256, endpoint, llm, request, reply, prompt_tokens, completion_tokens,
                        created_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING
                    """,
                arguments: [
                    exchange.sha256, Self.storable(exchange.endpoint), Self.storable(exchange.llm), frames[0],
                    frames[1], exchange.promptTokenCount, exchange.completionTokenCount, Timestamp.now(),
                ])
        }
    }

    /// The exchange with a digest; nil if there is none.
    ///
    /// - Throws: ``CatalogError`` `.damaged` if a blob is damaged, or the exchange does not match its digest.
    package func exchange(sha256: String) throws(CatalogError) -> ExchangeRecord? {
        try read { database in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT endpoint, llm, request, reply, prompt_tokens, completion_tokens FROM exchange
                    WHERE sha256 = ?
                    """,
                arguments: [sha256]
            ).map { row in
                let exchange = try exchange(row, "exchange \(sha256)")
                guard exchange.sha256 == sha256 else {
                    throw CatalogError(
                        .damaged, "\(path): exchange \(sha256) holds another request than its digest says")
                }
                return exchange
            }
        }
    }

    private func exchange(_ row: Row, _ place: String) throws -> ExchangeRecord {
        let bytes = try [2, 3].map { column in
            let frame = try row.bytes(column)
            return try blob(place) { () throws(Zstd.Failure) in
                try Zstd.decompress(frame, limit: Self.maximumExchangeByteCount)
            }
        }
        return try ExchangeRecord(
            endpoint: row.value(0), llm: row.value(1), request: bytes[0], reply: bytes[1],
            promptTokenCount: row.tally(4), completionTokenCount: row.tally(5))
    }
}
