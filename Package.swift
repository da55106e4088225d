// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let flyingFox: Target.Dependency = .product(name: "FlyingFox", package: "FlyingFox")
let flyingSocks: Target.Dependency = .product(name: "FlyingSocks", package: "FlyingFox")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")

/// One of our libraries.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// The tests of one target.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        swiftSettings: swiftSettings)
}

let package = Package(
    name: "RouteSAE",
    products: [
        .executable(name: "routesae", targets: ["routesae"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    ],
    targets: [
        // System libraries.
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // Numbers.
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),
        library("LinearAlgebra", ["CKernels"]),

        // The language model's side.
        library("Safetensors"),
        library("Tokenization"),
        library("ChatTemplate"),
        library("LanguageModel", ["CKernels", "LinearAlgebra", "Safetensors", "Tokenization"]),

        // Dictionaries.
        library("SparseCoding", ["CKernels", "LinearAlgebra", "Safetensors"]),
        library("SparseTraining", ["CKernels", "LinearAlgebra", "SparseCoding", "Safetensors"]),

        // The catalog's side.
        .target(
            name: "CatalogMigrations", path: "migrations",
            resources: [
                .embedInCode("0001_catalog.sql"), .embedInCode("0002_corpora_and_passages.sql"),
                .embedInCode("0003_contexts_moved.sql"), .embedInCode("0004_faster_questions.sql"),
                .embedInCode("0005_verdicts_and_exchanges.sql"), .embedInCode("0006_every_tool.sql"),
            ], swiftSettings: swiftSettings),
        .target(name: "CSQLiteRows", linkerSettings: [.linkedLibrary("sqlite3")]),
        library("FeatureCatalog", ["CSQLiteRows", "CZstd", "CatalogMigrations", crypto, grdb, grdbSQLite]),
        library("StrictJSON"),
        library("FeatureScoring", ["StrictJSON"]),

        // Other people's language models.
        .target(name: "CCurl"),
        library("ChatEndpoint", ["CCurl", "StrictJSON"]),

        // Where they meet.
        library(
            "Workflows",
            [
                "CKernels", "LinearAlgebra", "Safetensors", "Tokenization", "ChatTemplate", "LanguageModel",
                "SparseCoding", "SparseTraining", "FeatureCatalog", "FeatureScoring", "ChatEndpoint", crypto,
            ]),

        // What a person sees.
        library("TerminalOutput"),
        .executableTarget(
            name: "routesae",
            dependencies: [
                "FeatureCatalog", "LanguageModel", "LinearAlgebra", "Safetensors", "SparseCoding", "SparseTraining",
                "TerminalOutput", "Tokenization", "FeatureScoring", "Workflows", argumentParser,
            ],
            swiftSettings: swiftSettings),

        // Tests.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swiftSettings),
        .target(
            name: "ChatServerSupport", dependencies: [flyingFox, flyingSocks], path: "Tests/ChatServerSupport",
            swiftSettings: swiftSettings),
        tests("LinearAlgebra", ["CKernels"]),
        tests("Safetensors"),
        tests("Tokenization"),
        tests("ChatTemplate"),
        tests("LanguageModel", ["CKernels", "LinearAlgebra", "Safetensors", "Tokenization"]),
        tests("SparseCoding", ["CKernels", "LinearAlgebra", "Safetensors"]),
        tests("SparseTraining", ["CKernels", "LinearAlgebra", "SparseCoding", "Safetensors"]),
        tests("FeatureCatalog", ["CatalogMigrations", "CZstd", grdb, grdbSQLite]),
        tests("FeatureScoring"),
        tests("ChatEndpoint", ["CCurl", "ChatServerSupport"]),
        tests("TerminalOutput"),
        tests(
            "Workflows",
            [
                "LanguageModel", "LinearAlgebra", "Safetensors", "SparseCoding", "SparseTraining", "FeatureCatalog",
                "FeatureScoring", "Tokenization", "ChatServerSupport", grdb,
            ]),
        .testTarget(
            name: "RouteSAETests", dependencies: ["routesae", "TestSupport", "ChatServerSupport"],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)
