import FeatureCatalog
import Testing

/// Records an issue unless `body` throws a `CatalogError` of `code` whose message contains `text`.
func expectCatalogError(
    _ code: CatalogError.Code, containing text: String = "", sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("nothing thrown, expected \(code)", sourceLocation: sourceLocation)
    } catch let error as CatalogError {
        #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
        #expect(error.message.contains(text), "\(error.message)", sourceLocation: sourceLocation)
        #expect(!error.message.contains("\n"), sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error) thrown, expected \(code)", sourceLocation: sourceLocation)
    }
}
