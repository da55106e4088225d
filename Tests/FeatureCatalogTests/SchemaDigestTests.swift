import FeatureCatalog
import Testing

@Suite struct SchemaDigestTests {
    /// Catalogs open faster by it, and would open slowly without a word if it were out of date.
    @Test("The stored digest is that of the migrations") func isThatOfTheMigrations() throws {
        let digests = try Catalog.schemaDigests()
        #expect(digests.kept == digests.made)
    }
}
