package hydrofhir.sandbox;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.context.PropertyPlaceholderAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.web.embedded.EmbeddedWebServerFactoryCustomizerAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.ServletWebServerFactoryAutoConfiguration;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/**
 * A HAPI FHIR JPA server on the loopback interface, for development and tests.
 *
 * <p>What Spring Boot may configure by itself is named here one by one, and nothing is scanned: a library that
 * arrives on the class path changes nothing. Every switch is a property of application.properties and can be given
 * as an argument, for example {@code --sandbox.fhir=R5 --server.port=8090}.
 */
@Configuration(proxyBeanMethods = false)
@Import({FhirRelease.class, Storage.class, Endpoint.class})
@ImportAutoConfiguration({
    PropertyPlaceholderAutoConfiguration.class,
    DataSourceAutoConfiguration.class,
    ServletWebServerFactoryAutoConfiguration.class,
    // Carries server.tomcat.*: without it a "|" in a search URL never reaches HAPI.
    EmbeddedWebServerFactoryCustomizerAutoConfiguration.class
})
public class Server {

    public static void main(String[] arguments) {
        SpringApplication.run(Server.class, arguments);
    }
}
