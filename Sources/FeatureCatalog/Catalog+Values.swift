import Foundation

extension Catalog {
    /// The enumeration case of a text column; the schema's CHECKs exclude other values, unless the file is damaged.
    func enumeration<Value: RawRepresentable<String>>(_ text: String, _ column: String) throws(CatalogError) -> Value {
        guard let value = Value(rawValue: text) else {
            throw CatalogError(.damaged, "\(path): \(column) holds \"\(text)\"")
        }
        return value
    }

    /// The enumeration case of a text column, or nil for NULL.
    func enumeration<Value: RawRepresentable<String>>(
        _ text: String?, _ column: String
    ) throws(CatalogError) -> Value? {
        guard let text else { return nil }
        let value: Value = try enumeration(text, column)
        return value
    }

    /// Refuses text that is not JSON.
    func checkJSON(_ text: String?, _ what: String) throws(CatalogError) {
        guard let text else { return }
        do { _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) } catch {
            throw CatalogError(.invalidValue, "\(path): the \(what) is not JSON")
        }
    }

    /// A JSON array of layers, lengths or counts, as `dictionary.layers`, `dictionary_tensor.shape` and
    /// `feature.histogram` hold: integers of 0 … 2⁵³.
    func integers(_ json: String, _ column: String) throws(CatalogError) -> [Int] {
        // Decoded, a number takes tens of times its text; no such array is long.
        guard json.utf8.count <= Self.maximumArrayByteCount else {
            throw CatalogError(.damaged, "\(path): \(column) holds \(json.utf8.count) bytes, more than any array has")
        }
        guard let values = try? JSONDecoder().decode([Int].self, from: Data(json.utf8)),
            values.allSatisfy((0...1 << 53).contains)
        else {
            throw CatalogError(.damaged, "\(path): \(column) is not a JSON array of counts")
        }
        return values
    }

    /// A JSON array of numbers, as `indexing.histogram_edges` holds.
    func numbers(_ json: String, _ column: String) throws(CatalogError) -> [Double] {
        guard json.utf8.count <= Self.maximumArrayByteCount else {
            throw CatalogError(.damaged, "\(path): \(column) holds \(json.utf8.count) bytes, more than any array has")
        }
        do { return try JSONDecoder().decode([Double].self, from: Data(json.utf8)) } catch {
            throw CatalogError(.damaged, "\(path): \(column) is not a JSON array of numbers")
        }
    }

    /// Bytes of an array in JSON that is read back.
    private static let maximumArrayByteCount = 1 << 20

    /// The JSON of an array of numbers, without spaces.
    static func json(_ values: [some CustomStringConvertible]) -> String {
        "[" + values.map(\.description).joined(separator: ",") + "]"
    }

    /// Decodes a blob; errors name its position.
    func blob<Value>(_ place: String, _ decode: () throws(Zstd.Failure) -> Value) throws(CatalogError) -> Value {
        do { return try decode() } catch {
            throw CatalogError(.damaged, "\(path): \(place): \(error)")
        }
    }

    /// Encodes a blob.
    func frame(_ encode: () throws(Zstd.Failure) -> [UInt8]) throws(CatalogError) -> Data {
        do { return Data(try encode()) } catch { throw CatalogError(.failed, "\(path): \(error)") }
    }
}
