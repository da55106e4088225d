package import FeatureCatalog
import Foundation
package import JSON

extension JSONValue {
    /// Parses a document stored in a catalog, such as a run's configuration; text that is not JSON becomes a string.
    package init(parsing json: String) {
        self = (try? JSONParser.parse(Data(json.utf8), rules: .lenient)) ?? .string(json)
    }

    /// A value of the catalog; a blob becomes its byte count.
    package init(_ value: CatalogValue) {
        switch value {
        case .null: self = .null
        case .integer(let number): self.init(number)
        case .real(let number): self.init(number)
        case .text(let text): self = .string(text)
        case .blob(let bytes): self = .object(["bytes": .integer(bytes.count)])
        }
    }
}
