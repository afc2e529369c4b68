package hydrofhir.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.FhirVersionEnum;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.parser.IParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Set;
import java.util.stream.Stream;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.utilities.http.ManagedWebAccess;

/**
 * FHIR's own StructureDefinitions as a package on disk, so that extensions can be validated without a network.
 *
 * <p>HAPI's validator looks up the contexts of an extension in the core package of FHIR, which it would load from a
 * registry although it has the same definitions on board ("4.0" is not "4.0.1" to it). Here it finds them in its package
 * cache, made from what is on board, and no registry is asked.
 */
final class CorePackage {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final Set<String> KEPT = Set.of(
            "resourceType", "id", "url", "version", "name", "status", "fhirVersion", "kind", "abstract", "type",
            "baseDefinition", "derivation", "snapshot");

    private static final Set<String> ELEMENT = Set.of("id", "path", "min", "max", "base", "type", "contentReference");

    private static boolean prepared;

    private CorePackage() {}

    /** Writes the package into a folder of this process, once; takes some seconds. */
    static synchronized void prepare(FhirContext fhir) {
        if (prepared) {
            return;
        }
        prepared = true;
        try {
            Path home = Files.createTempDirectory("hydrofhir-fhir-");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(home)));
            System.setProperty("user.home", home.toString());
            // Without this the cache is not looked into before registries have been asked, one by one.
            ManagedWebAccess.setAccessPolicy(ManagedWebAccess.WebAccessPolicy.PROHIBITED);
            write(fhir, home.resolve(".fhir").resolve("packages"));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static void write(FhirContext fhir, Path packages) throws IOException {
        FhirVersionEnum release = fhir.getVersion().getVersion();
        String version = release.getFhirVersionString();
        String name = "hl7.fhir." + release.name().toLowerCase() + ".core";
        Path folder = packages.resolve(name + "#" + version).resolve("package");
        Files.createDirectories(folder);
        Files.writeString(packages.resolve("packages.ini"), "[cache]\nversion=3\n\n[urls]\n\n[local]\n");
        Files.writeString(
                folder.resolve("package.json"),
                """
                {"name": "%s", "version": "%s", "type": "fhir.core", "fhirVersions": ["%s"],
                 "canonical": "http://hl7.org/fhir", "url": "http://hl7.org/fhir", "dependencies": {}}
                """.formatted(name, version, version));
        IParser parser = fhir.newJsonParser();
        for (IBaseResource definition : new DefaultProfileValidationSupport(fhir).fetchAllStructureDefinitions()) {
            ObjectNode type = (ObjectNode) JSON.readTree(parser.encodeResourceToString(definition));
            if ("specialization".equals(type.path("derivation").asText())) {
                String file = "StructureDefinition-" + type.get("id").asText() + ".json";
                Files.writeString(folder.resolve(file), JSON.writeValueAsString(lean(type)));
            }
        }
    }

    /** What is asked of a type here: its elements by path and type. The package is read anew for each extension. */
    private static ObjectNode lean(ObjectNode type) {
        type.retain(KEPT);
        for (JsonNode element : type.path("snapshot").path("element")) {
            ((ObjectNode) element).retain(ELEMENT);
        }
        return type;
    }

    private static void remove(Path folder) {
        try (Stream<Path> found = Files.walk(folder)) {
            found.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        } catch (IOException | UncheckedIOException gone) {
            // The system clears its temporary folder itself.
        }
    }
}
