import FeatureCatalog
import Testing

@Suite struct SchemaDigestTests {
    /// An outdated digest would only make opening slower, without an error.
    @Test("The stored digest is that of the migrations") func isThatOfTheMigrations() throws {
        let digests = try Catalog.schemaDigests()
        #expect(digests.kept == digests.made)
    }
}
